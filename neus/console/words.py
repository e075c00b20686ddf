"""Seconds in words."""

from __future__ import annotations


def exactly(seconds: float) -> str:
    """What something took: ``8.4 s``, ``42 s``, ``2 min 51 s``, ``3 h 07 min``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def about(seconds: float) -> str:
    """What something will take, no finer than it can be known: ``about 4 min``."""
    if seconds < 5:
        return "a few seconds"
    if seconds < 20:
        return f"about {round(seconds)} s"
    if seconds < 100:
        return f"about {5 * round(seconds / 5)} s"
    if seconds < 95 * 60:
        return f"about {round(seconds / 60)} min"
    hours, minutes = divmod(10 * round(seconds / 600), 60)
    return f"about {hours} h" + (f" {minutes} min" if minutes else "")
