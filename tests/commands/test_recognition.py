"""What a path is, and the small configuration that follows from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from neus.commands.configuration import configuration
from neus.commands.recognition import Recognised, name_of, recognised, source_of
from neus.errors import InputError
from neus.images.files import write_image, write_video
from neus.sources.formats import FORMATS
from tests.helpers.photo_folders import photos


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("transforms_train.json", "blender"),
        ("transforms.json", "nerfstudio"),
        ("meta_data.json", "nerfstudio"),
        ("cameras_sphere.npz", "dtu"),
        ("cameras.npz", "dtu"),
        ("dino_par.txt", "middlebury"),
        ("0000.jpg.camera", "strecha"),
        ("sparse/0/cameras.bin", "colmap"),
        ("cameras.txt", "colmap"),
        ("IMG_1.jpg", "photos"),
    ],
)
def test_layouts_are_told_by_what_lies_in_a_folder(tmp_path: Path, file: str, source: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).touch()
    assert source_of(tmp_path) == source
    if tmp_path == (tmp_path / file).parent:
        assert source_of(tmp_path / file) == source
    assert source in {known.source for known in FORMATS}


def test_photos_are_counted_and_masks_choose_the_method(tmp_path: Path) -> None:
    folder = photos(tmp_path / "my statue" / "images")
    found = recognised(folder)
    assert (found.name, found.source, found.images, found.size) == (
        "my-statue", "photos", 4, (64, 48),
    )  # fmt: skip
    assert found.method[0] == "neus"
    for i in range(4):
        mask = np.zeros((48, 64), np.uint8)
        mask[10:30, 10:30] = 255
        write_image(folder.parent / "masks" / f"{i:03}.png", mask)
    assert recognised(folder.parent).method[0] == "neus-mask"


def test_a_video_is_taken_as_it_is(tmp_path: Path) -> None:
    video = tmp_path / "walk.mp4"
    write_video(video, [np.full((48, 64, 3), 40 * i, np.uint8) for i in range(4)])
    found = recognised(video)
    assert (found.name, found.source, found.images) == ("walk", "photos", None)
    assert "a video" in configuration(found, results="r", device="cpu")[1][0]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a b/c d", "c-d"),
        ("statue/images", "statue"),
        ("x/demo", "demo-scan"),
        ("x/-+-", "scan-scan"),
    ],
)
def test_names_are_such_as_scans_may_have(path: str, name: str) -> None:
    assert name_of(Path(path)) == name


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        recognised(tmp_path / "nothing")
    photos(tmp_path / "two", count=2)
    with pytest.raises(InputError, match="three or more"):
        recognised(tmp_path / "two")


def found(**values: object) -> Recognised:
    keys = {
        "name": "statue", "source": "photos", "path": Path("/p/it's: [here]"), "images": 30,
        "size": (4000, 3000), "masked": 0, "said": (),
    } | values  # fmt: skip
    return Recognised(**keys)  # pyright: ignore


def test_the_configuration_is_small_and_right() -> None:
    text, said = configuration(found(), results="o ut", device="cpu")
    content = yaml.safe_load(text)
    scan = {"name": "statue", "source": "photos", "path": "/p/it's: [here]", "downscale": 5}
    assert content == {"scans": [scan], "methods": ["neus"], "results": "o ut"}
    assert any("800x600" in sentence for sentence in said)
    content = yaml.safe_load(configuration(found(), results="r", device="cuda")[0])
    assert content["scans"][0]["downscale"] == 3


def test_what_is_asked_for_wins() -> None:
    text, _ = configuration(
        found(masked=30), results="r", device="cpu", method="neus-mask-colour", downscale=1,
        steps=100, scale="gps", unit="cm",
    )  # fmt: skip
    content = yaml.safe_load(text)
    assert content["methods"] == ["neus-mask-colour"]
    assert content["overrides"] == {"training": {"steps": 100}}
    scan = content["scans"][0]
    assert "downscale" not in scan
    assert (scan["scale"], scan["unit"]) == ({"positions": "gps"}, "cm")
