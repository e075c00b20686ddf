"""How far a program is, and how long it will still take, in a small file beside its log.

In go the parts of a program with the seconds that each is expected to take, and how much of a part
is done; out comes a file that is always whole, which whoever shows a run reads. Which file, the
environment says (``NEUS_PROGRESS``); where it names none, nothing is written.
"""

from neus.progress.estimate import Estimate
from neus.progress.pace import Measured, Pace
from neus.progress.reporting import FILE, Progress
from neus.progress.state import State, file_of, read_state, write_state

__all__ = [
    "FILE",
    "Estimate",
    "Measured",
    "Pace",
    "Progress",
    "State",
    "file_of",
    "read_state",
    "write_state",
]
