"""What a program said at its end."""

from __future__ import annotations


def last_words(text: str) -> str | None:
    """The sentence that a program ended with: its last ``error:``, or the last line of all.

    Sentences that an error lists below itself belong to it. None of a program that said nothing.
    """
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    starts = [i for i, line in enumerate(lines) if line.startswith("error: ")]
    if not starts:
        return lines[-1].strip() if lines else None
    first = starts[-1]
    more = [line.strip() for line in lines[first + 1 :] if line.startswith("  ")]
    return " ".join([lines[first].removeprefix("error: "), *more])
