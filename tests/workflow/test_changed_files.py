"""Which changes of a scan's files are noticed, and that an update of the program is none."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from neus.images.files import write_video
from neus.pipeline.fingerprints import earlier_fingerprint
from tests.helpers import foreign_scans
from tests.helpers.stand_in_programs import (
    AFTER_TRAINING,
    planned,
    snakemake,
    write_config,
    write_project,
)

AGAIN = {"normalize_scene": 1, "dense_stereo": 1, "train": 1} | AFTER_TRAINING
POSES_AGAIN = {"estimate_poses": 1} | AGAIN


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """Three finished scans: photos in a folder below, posed images, and a video."""
    folder = write_project(tmp_path_factory.mktemp("workflow") / "project")
    foreign_scans.write_scan(folder / "posed", names=foreign_scans.numbered("rgb/{}.png"))
    for i in range(4):
        (folder / "photos" / "round 2").mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / f"posed/rgb/{i}.png", folder / "photos" / "round 2")
    write_video(folder / "walk.mp4", [foreign_scans.picture(i) for i in range(5)])
    config(folder)
    done = snakemake(folder, "--configfile", "mine.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert planned(folder, "--configfile", "mine.yaml") == {}
    time.sleep(2.1)  # so that files may be remembered
    return folder


def config(folder: Path, **keys: object) -> str:
    scans = [
        {"name": "photos", "source": "photos", "path": "photos"},
        {"name": "posed", "source": "nerfstudio", "path": "posed"},
        {"name": "film", "source": "photos", "path": "walk.mp4"},
    ]
    return write_config(folder / "mine.yaml", scans=scans, **keys)


def plan(folder: Path) -> dict[str, int]:
    return planned(folder, "--configfile", "mine.yaml")


def swap(file: Path) -> None:
    """Another content of the same size and time; a second call brings the first back."""
    state, content = file.stat(), bytearray(file.read_bytes())
    content[-9] ^= 1
    file.write_bytes(bytes(content))
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.mark.parametrize(
    ("file", "again"),
    [
        ("photos/round 2/1.png", POSES_AGAIN),
        ("posed/rgb/2.png", AGAIN),
        ("walk.mp4", {"extract_frames": 1} | POSES_AGAIN),
    ],
)
def test_content_that_is_replaced_is_noticed_at_the_same_size_and_time(project, file, again):
    swap(project / file)
    assert plan(project) == again
    swap(project / file)
    assert plan(project) == {}


def test_age_is_not_noticed(project):
    files = [*project.glob("photos/**/*.png"), *project.glob("posed/**/*"), project / "walk.mp4"]
    for file in files:
        file.touch()
    assert plan(project) == {}


def test_what_version_0_1_finished_does_not_run_again_until_a_file_changes(project):
    """Its records, and no baseline yet: as they are after an update."""
    as_version_0_1_recorded(project)
    assert plan(project) == {}
    assert json.loads((project / ".snakemake/neus-adopted.json").read_text()).keys() == {
        "film", "photos", "posed",
    }  # fmt: skip
    assert plan(project) == {}
    for file, again in (
        ("posed/rgb/2.png", AGAIN),
        ("walk.mp4", {"extract_frames": 1} | POSES_AGAIN),
    ):
        swap(project / file)
        assert plan(project) == again
        swap(project / file)
    assert plan(project) == {}
    config(project, poses={"max_size": 900})
    assert plan(project)["estimate_poses"] == 2


def as_version_0_1_recorded(folder: Path) -> None:
    """Rewrite the records of Snakemake: fingerprints by sizes, no masks among the options."""
    earlier = {
        "photos": earlier_fingerprint_from(folder, "photos"),
        "posed": earlier_fingerprint_from(folder, "posed"),
        "film": earlier_fingerprint_from(folder, "walk.mp4"),
    }
    changed = 0
    for record in (folder / ".snakemake" / "metadata").rglob("*"):
        if not record.is_file():
            continue
        content = json.loads(record.read_text())
        scan = next((scan for scan in earlier if f"results/{scan}/" in str(content)), "")
        if content["rule"] not in ("extract_frames", "estimate_poses", "normalize_scene"):
            continue
        params = []
        for param in content["params"]:
            if param.startswith("100 of "):
                param = "100"
            elif "--masks auto" in param:
                param = param.replace(" --masks auto", "")
            elif len(param) == 18 and param.strip("'").isalnum():
                param = repr(earlier[scan])
            params.append(param)
        changed += params != content["params"]
        record.chmod(0o644)
        record.write_text(json.dumps(content | {"params": sorted(params)}))
    assert changed == 6
    for file in (folder / ".snakemake").glob("neus-*"):
        file.unlink()


def earlier_fingerprint_from(folder: Path, path: str) -> str:
    """As version 0.1 computed it, in the working folder."""
    here = os.getcwd()
    os.chdir(folder)
    try:
        return earlier_fingerprint(Path(path))
    finally:
        os.chdir(here)
