"""Stages that are kept: made once for a key, and never half."""

from __future__ import annotations

from pathlib import Path

import pytest

from neus.files.stages import kept


def test_a_stage_is_made_once_for_its_key_and_replaced_for_another(tmp_path):
    made: list[str] = []

    def make(text: str, folder: Path) -> None:
        made.append(text)
        (folder / "result").write_text(text)

    first = kept(tmp_path, "features", ["a", 1], lambda folder: make("one", folder))
    other = kept(tmp_path, "matches", ["a", 1], lambda folder: make("two", folder))
    assert kept(tmp_path, "features", ["a", 1], lambda folder: make("no", folder)) == first
    changed = kept(tmp_path, "features", ["a", 2], lambda folder: make("three", folder))
    assert made == ["one", "two", "three"]
    assert (changed / "result").read_text() == "three"
    assert not first.exists()
    assert other.is_dir()


def test_a_failed_stage_leaves_nothing(tmp_path):
    def fail(folder: Path) -> None:
        (folder / "half").write_text("")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        kept(tmp_path, "features", "key", fail)
    assert list(tmp_path.iterdir()) == []
