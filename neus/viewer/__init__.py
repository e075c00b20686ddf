"""A model in the browser, while it trains or afterwards: ``neus view --live``.

In goes the folder of a run; out come pictures of it from wherever one looks, by the newest of its
files. These are opened to be read and are there whole or not at all, so that a training never
notices; the viewer runs at low priority beside it. ``window`` alone needs viser, the optional
package that carries pictures to the browser.
"""

from neus.viewer.latest import Latest, live_run
from neus.viewer.pictures import Camera, occupied_cells, rendered

__all__ = ["Camera", "Latest", "live_run", "occupied_cells", "rendered"]
