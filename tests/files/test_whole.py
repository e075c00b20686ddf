"""What has its final name is on the disk, whole."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from neus.files import folder_written_whole, written_whole


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was asked of the disk: each path that was settled, and each new name, in order."""
    noted: list[tuple[str, str]] = []
    fsync, replace = os.fsync, os.replace

    def noting_fsync(descriptor: int) -> None:
        noted.append(("settle", os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    def noting_replace(source: Path, target: Path) -> None:
        noted.append(("rename", str(target)))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(os, "replace", noting_replace)
    return noted


def test_a_file_is_on_the_disk_before_it_has_its_name_and_its_name_after(
    tmp_path: Path, calls: list[tuple[str, str]]
) -> None:
    path = tmp_path / "figures.json"
    with written_whole(path) as partial:
        partial.write_text("{}")
    assert calls == [("settle", str(partial)), ("rename", str(path)), ("settle", str(tmp_path))]


def test_so_is_a_folder_with_all_that_is_in_it(
    tmp_path: Path, calls: list[tuple[str, str]]
) -> None:
    target = tmp_path / "scene"
    with folder_written_whole(target, ("images", "transforms.json")) as whole:
        (whole / "images").mkdir()
        with written_whole(whole / "images" / "0.png") as image:  # settled once, with the folder
            image.write_bytes(b"png")
        (whole / "transforms.json").write_text("{}")
        (whole / "points.ply").symlink_to(whole / "nowhere")
    renamed = calls.index(("rename", str(target)))
    before = [path for what, path in calls[:renamed] if what == "settle"]
    inside = {"images/0.png", "images", "transforms.json", "."}
    assert {os.path.relpath(path, whole) for path in before} == inside
    assert before.index(str(whole / "images" / "0.png")) < before.index(str(whole / "images"))
    assert before[-1] == str(whole)
    assert len(before) == len(inside)
    assert calls[renamed + 1 :] == [("settle", str(tmp_path))]


def test_a_disk_that_cannot_take_it_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.pt"
    path.write_text("earlier")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"), written_whole(path) as partial:
        partial.write_text("later")
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_system_that_settles_no_folders_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def files_alone(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.EINVAL, "Invalid argument")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", files_alone)
    with folder_written_whole(tmp_path / "scene", ()) as whole:
        (whole / "transforms.json").write_text("{}")
    assert (tmp_path / "scene" / "transforms.json").read_text() == "{}"
