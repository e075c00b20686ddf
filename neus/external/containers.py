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
    words = _apptainer if engines[0] in ENGINES[:2] else _docker
    return [*words(engines[0], image, read, written, environment, has_card), *SHELL[1:], command]


def _apptainer(
    engine: str,
    image: str,
    read: list[Path],
    written: Path,
    environment: Mapping[str, str],
    has_card: bool,
) -> list[str]:
    binds = [word for path in read for word in ("--bind", f"{path}:{path}:ro")]
    binds += ["--bind", f"{written}:{written}", "--pwd", str(written)]
    variables = [word for item in environment.items() for word in ("--env", "=".join(item))]
    cards = ["--nv"] if has_card else []
    is_named = not image.endswith(".sif") and "://" not in image
    place = f"docker://{image}" if is_named else image
    return [engine, "exec", "--cleanenv", *cards, *binds, *variables, place, SHELL[0]]


def _docker(
    engine: str,
    image: str,
    read: list[Path],
    written: Path,
    environment: Mapping[str, str],
    has_card: bool,
) -> list[str]:
    binds = [word for path in read for word in ("--volume", f"{path}:{path}:ro")]
    binds += ["--volume", f"{written}:{written}", "--workdir", str(written)]
    variables = [word for item in environment.items() for word in ("--env", "=".join(item))]
    cards = {"podman": ["--device", "nvidia.com/gpu=all"], "docker": ["--gpus", "all"]}[engine]
    # Podman's root is who started it; docker's is the machine's, who should own none of our files.
    user = ["--user", f"{os.getuid()}:{os.getgid()}"] if engine == "docker" else []
    start = [engine, "run", "--rm", "--init", *user, *(cards if has_card else [])]
    name = image.removeprefix("docker://")
    return [*start, *binds, *variables, "--entrypoint", SHELL[0], name]
