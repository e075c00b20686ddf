"""Facts about files are kept, and not written again and again."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from neus.files import Facts


def old_files(folder: Path, count: int) -> list[Path]:
    """Files that were settled an hour ago."""
    files = [folder / f"{i}.png" for i in range(count)]
    for file in files:
        file.write_text("png")
        ago = time.time() - 3600
        os.utime(file, (ago, ago))
    return files


def test_facts_are_written_after_a_pause_in_proportion_to_the_time_that_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neus.files.facts.SETTLED_NS", -(10**12))  # ctime is now, for every file
    now = [0.0]

    def monotonic() -> float:
        now[0] += 0.5  # each look at the clock: writing takes half a second
        return now[0]

    monkeypatch.setattr(time, "monotonic", monotonic)
    store = tmp_path / "facts.json"
    facts = Facts(store)

    def known() -> int:
        return len(json.loads(store.read_text()))

    first, second, third = old_files(tmp_path, 3)
    for file, seconds, written in ((first, 0, 1), (second, 1, 1), (third, 20, 3)):
        now[0] += seconds
        facts.of(file, "size", lambda path: path.stat().st_size)
        facts.keep()
        assert known() == written
    assert Facts(store).of(first, "size", lambda path: -1) == 3
    assert Facts(store).knows(first, "size")
    assert not Facts(store).knows(first, "sha256")
    first.write_text("changed")
    assert not Facts(store).knows(first, "size")
