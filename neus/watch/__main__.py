"""``python -m neus.watch LOG COMMAND...`` runs a command, shows what it prints and keeps it in LOG.

Exits with the command's own status, or as a shell does for one that a signal ended.
"""

from __future__ import annotations

import sys
from pathlib import Path

from neus.watch.watcher import watched

raise SystemExit(watched(Path(sys.argv[1]), sys.argv[2:]))
