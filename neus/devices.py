"""Which device a program runs on, and with how many threads."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from neus.errors import InputError

DEVICES = ("auto", "cpu", "cuda")


def set_threads(threads: int) -> None:
    """Let torch, and with it the operators of ``neus.ops.cpu``, use ``threads`` cores."""
    torch.set_num_threads(threads)


@contextmanager
def leased_device(name: str) -> Iterator[torch.device]:
    """The device called ``name`` ("auto", "cpu", "cuda"); a GPU is held for this process alone.

    A scheduler such as Snakemake counts GPUs but hands out none, so two jobs would share the first
    card. A lock file per card leases one to each; a job waits while all are taken. Under Slurm,
    or any other scheduler that sets ``CUDA_VISIBLE_DEVICES`` to one card, its choice stands.

    Raises:
        InputError: the name is unknown, or "cuda" is asked for where there is none.
    """
    if name not in DEVICES:
        raise InputError(f"device '{name}' is unknown: use one of {', '.join(DEVICES)}")
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        yield torch.device("cpu")
        return
    if not torch.cuda.is_available():
        raise InputError("device 'cuda' is asked for, but torch sees no GPU: use device 'auto'")
    cards = torch.cuda.device_count()
    if cards == 1:
        yield torch.device("cuda", 0)
        return
    identities = [str(torch.cuda.get_device_properties(i).uuid) for i in range(cards)]
    with _first_free_card(identities) as i:
        torch.cuda.set_device(i)  # Triton launches on the current card
        yield torch.device("cuda", i)


@contextmanager
def _first_free_card(identities: list[str]) -> Iterator[int]:
    """Index of a card that no other process holds; the system frees the lock if we die."""
    folder = Path(tempfile.gettempdir())
    while True:
        for index, identity in enumerate(identities):
            descriptor = os.open(folder / f"neus-{identity}.lock", os.O_CREAT | os.O_RDWR, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield index
                return
            except BlockingIOError:
                continue
            finally:
                os.close(descriptor)
        time.sleep(1.0)


def peak_memory_gib(device: torch.device) -> float:
    """Highest memory so far: of the card for CUDA, of the process otherwise."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def device_name(device: torch.device) -> str:
    """The name that figures are reported under: the card's, or the processor's and its threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{_processor()}, {torch.get_num_threads()} threads"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return "CPU"
