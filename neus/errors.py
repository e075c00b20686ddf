"""The one exception that means "the user's input is wrong"."""

from __future__ import annotations


class InputError(ValueError):
    """Bad input, in one sentence that names the file or key and the remedy.

    Scripts print the sentence without a traceback and exit with status 2.
    """
