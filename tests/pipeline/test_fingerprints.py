"""Whatever a run depends on changes its fingerprint, and nothing else does."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neus.files import Facts
from neus.images import write_image
from neus.pipeline import RecordedInt, RecordedText, content_fingerprint, source_files
from neus.pipeline.fingerprints import Adopted, earlier_fingerprint
from tests.helpers import foreign_scans
from tests.helpers.foreign_models import write_dtu, write_model
from tests.pipeline.test_preflight import with_defaults


def fingerprint(path: Path, source: str, facts: Facts | None = None, **keys: Any) -> str:
    scan = with_defaults(name="a", source=source, path=str(path), **keys)
    return content_fingerprint(source_files(scan), facts or Facts(None))


def replace_content(file: Path) -> None:
    """Another content of the same size, with the same time."""
    state, content = file.stat(), bytearray(file.read_bytes())
    content[-13] ^= 0x10  # in the checksum of a PNG file's last chunk, or a digit
    file.write_bytes(bytes(content))
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


def photos(folder: Path) -> Path:
    for i in range(3):
        write_image(folder / "images" / "round" / f"{i}.png", foreign_scans.picture(i))
        write_image(folder / "masks" / "round" / f"{i}.png", foreign_scans.masks()[i])
    return folder


def transforms(folder: Path) -> Path:
    def edit(content):
        content["ply_file_path"] = "p.ply"
        for i, frame in enumerate(content["frames"]):
            frame["mask_path"] = f"m/{i}.png"

    foreign_scans.write_scan(folder, edit, names=foreign_scans.numbered("images/cam0/{}.png"))
    for i, mask in enumerate(foreign_scans.masks()):
        write_image(folder / "m" / f"{i}.png", mask)
    from neus.scene import write_points

    write_points(folder / "p.ply", np.eye(3), np.zeros((3, 3), np.uint8))
    return folder


SOURCES = {
    "photos": ("photos", photos, ["images/round/1.png", "masks/round/2.png"]),
    "transforms": (
        "nerfstudio", transforms, ["transforms.json", "images/cam0/3.png", "m/2.png", "p.ply"],
    ),
    "colmap": (
        "colmap", write_model,
        ["sparse/0/images.txt", "sparse/0/points3D.txt", "sparse/0/cameras.txt", "images/0002.png"],
    ),
    "dtu": ("dtu", write_dtu, ["cameras_sphere.npz", "image/000002.png", "mask/004.png"]),
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_each_file_counts_by_its_content_and_none_by_its_age(name, tmp_path):
    source, write, files = SOURCES[name]
    folder = write(tmp_path / "scan")
    before = fingerprint(folder, source)
    copied = shutil.copytree(folder, tmp_path / "copy")
    for file in copied.rglob("*"):
        os.utime(file)
    (copied / "notes.txt").write_text("mine")
    (copied / "results").mkdir()
    (copied / "results" / "table.csv").write_text("x")
    assert fingerprint(copied, source) == before
    seen = {before}
    for file in files:
        another = shutil.copytree(folder, tmp_path / f"copy {len(seen)}")
        if file == "transforms.json":
            text = (another / file).read_text()
            (another / file).write_text(text.replace('"fl_x": 30.0', '"fl_x": 31.0'))
        elif file.endswith((".txt", ".npz")):
            content = (another / file).read_bytes()
            (another / file).write_bytes(content + b"\n")
        else:
            replace_content(another / file)
        seen.add(fingerprint(another, source))
    assert len(seen) == 1 + len(files)


def test_photos_and_masks_that_come_and_go_count(tmp_path):
    folder = photos(tmp_path / "scan")
    seen = [fingerprint(folder, "photos")]
    write_image(folder / "images/round/3.png", foreign_scans.picture(3))
    seen.append(fingerprint(folder, "photos"))
    (folder / "masks/round/1.png").unlink()
    seen.append(fingerprint(folder, "photos"))
    seen.append(fingerprint(folder, "photos", masks=False))
    assert len(set(seen)) == 4


def test_a_video_counts_by_its_content(tmp_path):
    (tmp_path / "walk.MTS").write_bytes(b"one film of 16 bytes and more")
    before = fingerprint(tmp_path / "walk.MTS", "photos")
    replace_content(tmp_path / "walk.MTS")
    assert fingerprint(tmp_path / "walk.MTS", "photos") != before


def test_what_is_known_of_a_file_is_used_until_it_changes_in_any_way(tmp_path, monkeypatch):
    file, store, asked = tmp_path / "a", tmp_path / "store" / "facts.json", []
    file.write_bytes(b"1234567890abcdefgh")
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 10**10)

    def look(path: Path) -> str:
        asked.append(path)
        return path.read_text()

    facts = Facts(store)
    assert facts.of(file, "text", look) == facts.of(file, "text", look)
    facts.keep()
    assert Facts(store).of(file, "text", look) == "1234567890abcdefgh"
    assert len(asked) == 1, "remembered over runs"
    replace_content(file)  # the same size and time; another time of change, or another inode
    assert Facts(store).of(file, "text", look) != "1234567890abcdefgh"
    other = tmp_path / "b"
    other.write_bytes(b"X234567890abcdefgh")
    os.replace(other, file)
    assert Facts(store).of(file, "text", look).startswith("X")
    store.write_text("no JSON")
    assert Facts(store).of(file, "text", look).startswith("X")


def test_a_file_that_may_still_change_is_not_remembered(tmp_path):
    (tmp_path / "a").write_text("x")
    facts = Facts(tmp_path / "facts.json")
    facts.of(tmp_path / "a", "size", lambda path: path.stat().st_size)
    facts.keep()
    assert not (tmp_path / "facts.json").exists()


def test_what_version_0_1_recorded_stands_until_a_file_changes(tmp_path):
    folder, store = tmp_path / "scan", tmp_path / "adopted.json"
    shutil.copytree(photos(tmp_path / "raw") / "images" / "round", folder)
    earlier, content = earlier_fingerprint(folder), fingerprint(folder, "photos")
    recorded = [repr("--images x"), repr(earlier)]

    def value(name: str, content: str, recorded: list[str]) -> str:
        return Adopted(store).value(name, content, lambda: earlier, recorded)

    assert value("new", content, []) == content
    assert value("a", content, recorded) == earlier
    assert value("a", content, []) == earlier, "it is remembered"
    replace_content(folder / "1.png")
    changed = fingerprint(folder, "photos")
    assert earlier_fingerprint(folder) == earlier, "version 0.1 would not have noticed"
    assert value("a", changed, recorded) == changed
    assert value("a", content, [repr(changed)]) == earlier


def test_recorded_values_are_passed_on_as_they_are():
    text = RecordedText("--a 1 --b 2", "--a 1")
    assert (f"{text}", repr(text)) == ("--a 1 --b 2", repr("--a 1"))
    number = RecordedInt(100, "abc")
    assert (f"{number}", str(number), repr(number), number + 1) == ("100", "100", "100 of abc", 101)
