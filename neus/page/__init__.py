"""The page that a run ends with: ``results/index.html``, and its heavy parts in ``results/page``.

In goes a folder of results; out comes a page that shows it without a network: figures, surfaces in
3D, held-out views beside photos, and what failed, with the reason. It reads files alone, so that it
can be made of whatever there is, while a run goes on or after it has failed.
"""

from neus.page.entries import found_runs
from neus.page.writing import write_page

__all__ = ["found_runs", "write_page"]
