"""Numbers that are said on the command line."""

from __future__ import annotations

import argparse


def positive(text: str) -> int:
    """A whole number of 1 or more, as a ``type`` of argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)
