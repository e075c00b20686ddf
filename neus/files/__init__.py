"""What is written is there whole or not at all, and may be resumed.

In go paths and the code that fills a file or folder; out come files and folders under their final
names, and the kept results of stages. Knows nothing of what is written.
"""

from neus.files.facts import Facts
from neus.files.folders import folder_written_whole
from neus.files.snapshot import code_snapshot
from neus.files.stages import kept
from neus.files.version import code_version, versions
from neus.files.whole import held_alone, written_whole

__all__ = [
    "Facts",
    "code_snapshot",
    "code_version",
    "folder_written_whole",
    "held_alone",
    "kept",
    "versions",
    "written_whole",
]
