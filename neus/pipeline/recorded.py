"""Values of params that Snakemake records otherwise than it passes them on.

It compares the ``repr`` of a param with that of the last run, and runs the rule again if they
differ. Here that text is chosen freely: to be as it was, where only the way of calling a program
has changed, or to differ, where a file has that the command line does not name.
"""

from __future__ import annotations


class RecordedText(str):
    """A text that is recorded as another.

    Args:
        text: that is passed on.
        recorded: the text that is compared.
    """

    recorded: str

    def __new__(cls, text: str, recorded: str) -> RecordedText:
        value = super().__new__(cls, text)
        value.recorded = recorded
        return value

    def __repr__(self) -> str:
        return repr(self.recorded)


class RecordedInt(int):
    """A whole number that is recorded with a mark, such as the fingerprint of a file.

    Args:
        number: that is passed on.
        mark: that is compared beside it.
    """

    mark: str

    def __new__(cls, number: int, mark: str) -> RecordedInt:
        value = super().__new__(cls, number)
        value.mark = mark
        return value

    def __repr__(self) -> str:
        return f"{int(self)} of {self.mark}"

    def __str__(self) -> str:
        return str(int(self))
