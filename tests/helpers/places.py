"""Where the tests find the project and real data."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
REAL_SCANS = Path(os.environ.get("NEUS_DATA", ROOT / ".." / "shared" / "data"))
"""Scans by the names of their collections, such as dtu/scan65."""
