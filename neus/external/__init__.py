"""Programs of others on the same scans: run with our clock and card, and what they leave, taken.

In goes a command and the scan in a layout that it reads (:mod:`neus.exports`); out come its seconds
and its memory, and its mesh in the frame of the source with its views under our names, or one
sentence that says why there is none. The programs are never imported: they bring an environment, or
a container, of their own.
"""

from neus.external.containers import in_container
from neus.external.findings import find_mesh, find_views, way_to_export
from neus.external.outcome import Outcome, read_outcome, read_taken, write_outcome
from neus.external.running import Program, run_program

__all__ = [
    "Outcome",
    "Program",
    "find_mesh",
    "find_views",
    "in_container",
    "read_outcome",
    "read_taken",
    "run_program",
    "way_to_export",
    "write_outcome",
]
