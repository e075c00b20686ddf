"""The words that run a command in a container, by whichever engine a machine has."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

ENGINES = ("apptainer", "singularity", "podman", "docker")
"""Looked for in this order. The first two take files and addresses (``image.sif``, ``docker://…``),
the last two names alone."""
SHELL = ("bash", "-euo", "pipefail", "-c")


def in_container(
    image: str,
    command: str,
    *,
    read: list[Path],
    written: Path,
    environment: Mapping[str, str],
    has_card: bool,
) -> list[str] | None:
    """Words that run ``command`` in ``image``, with folders under their own names; None where the
    machine has no engine for it.

    Args:
        read: folders that it may read.
        written: folder that it may write to, and starts in.
        environment: variables to set.
        has_card: whether it sees the cards.
    """
    is_file = image.endswith(".sif") or "://" in image
    engines = [name for name in ENGINES if shutil.which(name)]
    if is_file and not image.startswith("docker://"):
        engines = [name for name in engines if name in ENGINES[:2]]
    if not engines:
        return None
    of_apptainer = engines[0] in ENGINES[:2]
    bind, start_in = ("--bind", "--pwd") if of_apptainer else ("--volume", "--workdir")
    binds = [word for path in read for word in (bind, f"{path}:{path}:ro")]
    binds += [bind, f"{written}:{written}", start_in, str(written)]
    variables = [word for item in environment.items() for word in ("--env", "=".join(item))]
    called = _apptainer if of_apptainer else _docker
    opening, shell = called(engines[0], image, has_card)
    return [*opening, *binds, *variables, *shell, *SHELL[1:], command]


def _apptainer(engine: str, image: str, has_card: bool) -> tuple[list[str], list[str]]:
    """Words before folders and variables, and those after them up to the shell."""
    is_named = not image.endswith(".sif") and "://" not in image
    place = f"docker://{image}" if is_named else image
    cards = ["--nv"] if has_card else []
    return [engine, "exec", "--cleanenv", *cards], [place, SHELL[0]]


def _docker(engine: str, image: str, has_card: bool) -> tuple[list[str], list[str]]:
    """The same, of podman too."""
    cards = {"podman": ["--device", "nvidia.com/gpu=all"], "docker": ["--gpus", "all"]}[engine]
    # Podman's root is who started it; docker's is the machine's, who should own none of our files.
    user = ["--user", f"{os.getuid()}:{os.getgid()}"] if engine == "docker" else []
    opening = [engine, "run", "--rm", "--init", *user, *(cards if has_card else [])]
    return opening, ["--entrypoint", SHELL[0], image.removeprefix("docker://")]
