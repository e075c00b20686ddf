"""How a program of others ended."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from neus.errors import InputError
from neus.files import written_whole


@dataclass(frozen=True)
class Outcome:
    """One run of a program.

    Attributes:
        seconds: from its start to its end, whatever it does in them.
        peak_memory_gib: of the card where one was leased, else of all its processes together; None
            where nobody could look, as into a container of a daemon.
        device: on which it ran.
        reason: why it left nothing, as one sentence without a full stop; None if it ended well.
        command: as it was run.
        status: its exit status; None if it was not started.
    """

    seconds: float
    peak_memory_gib: float | None
    device: str
    reason: str | None
    command: str
    status: int | None


def write_outcome(path: Path, outcome: Outcome) -> None:
    with written_whole(path) as partial:
        partial.write_text(json.dumps(asdict(outcome), indent=1) + "\n", encoding="utf-8")


def read_outcome(path: Path) -> Outcome:
    """Read what `write_outcome` wrote.

    Raises:
        InputError: the file is missing or something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Outcome(**{field.name: content[field.name] for field in fields(Outcome)})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: is no outcome of a program ({error}): delete it, and it is run again"
        ) from error


def read_taken(path: Path) -> dict[str, Any]:
    """The record of take_external.py, which says why there is no mesh or no view, if there is none.

    Raises:
        InputError: the file is missing or something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return content | {name: content[name] for name in ("mesh_reason", "views_reason")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is no record of take_external.py ({error})") from error
