"""The command `neus`: photos in, a page of results out, from any folder.

In go words of a command line; out come a small configuration and a call of Snakemake, which stays
the truth of what runs (``neus run --show`` prints it), or of one of the programs in ``scripts/``.
Nothing heavy is imported before a command needs it, so that help comes at once.
"""

from neus.commands.entry import main

__all__ = ["main"]
