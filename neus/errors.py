"""The one exception that means "the user's input is wrong"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class InputError(ValueError):
    """Bad input, in one sentence that names the file or key and the remedy.

    Scripts print it without a traceback and exit with status 2.

    Attributes:
        sentences: one for each fault, where several were found at once.
    """

    def __init__(self, *sentences: str) -> None:
        self.sentences = sentences
        listed = [f"{len(sentences)} things are missing or wrong:", *sentences]
        super().__init__("\n  ".join(listed) if len(sentences) > 1 else "".join(sentences))


def refusal(where: object, found: str, expected: str, remedy: str) -> InputError:
    """The shape that all refusals of input files have.

    Args:
        where: the file, then the frame and the key if there are any.
        found: what stands there.
        expected: what should stand there.
        remedy: what to do, as an order.
    """
    return InputError(f"{where}: found {found}, expected {expected}: {remedy}")


class Faults:
    """Collects refusals, so that all that is wrong with a file is said at once."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Keep a refusal that the body raises, and go on after it."""
        try:
            yield
        except InputError as error:
            self.add(error)

    def add(self, error: InputError) -> None:
        self.sentences += [s for s in error.sentences if s not in self.sentences]

    def raise_any(self) -> None:
        """Raise one error with all that was collected, if there is anything."""
        if self.sentences:
            raise InputError(*self.sentences)


def listed(names: Sequence[object], most: int = 5) -> str:
    """The first names of a list and how many more there are."""
    rest = len(names) - most
    first = ", ".join(str(name) for name in names[:most])
    return first + (f" and {rest} more" if rest > 0 else "")
