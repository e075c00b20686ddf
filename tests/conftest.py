"""What all tests share: how kernels run without a GPU, and where real scans lie.

Without a GPU, Triton's kernels run in its interpreter, on CPU tensors. Triton reads the variable
when a kernel is defined, so it is set before any test is imported.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import neus  # noqa: F401  (first, since it sets what torch reads when it is loaded)

import torch  # isort: skip
import pytest

from tests.helpers.places import REAL_SCANS

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """What tests write need not outlive a crash; programs that they start settle it as ever."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture
def real_scan() -> Callable[[str], Path]:
    """The folder of a real scan by its name, such as "dtu/scan65"; skips where there is none."""

    def folder(name: str) -> Path:
        path = REAL_SCANS / name
        if not path.is_dir():
            pytest.skip(f"no real scan {name}: NEUS_DATA names a folder that holds it")
        return path

    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules with slow tests come first, so that no core waits for them in the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
