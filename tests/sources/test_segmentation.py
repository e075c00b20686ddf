"""Masks by a network: they fill the gaps that the user's leave, and lie on the photo as seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neus.errors import InputError
from neus.images import ORIENTATION, Orientation
from neus.images.files import write_image
from neus.images.stored import read_image
from neus.pipeline.preflight import check_inputs
from neus.pipeline.scans import scans_from_config
from neus.scene.reading import load_mask, load_scene
from neus.sources.capture import PosedPhoto, assemble
from neus.sources.segmentation import foreground, load_network, mask_photos
from tests.helpers.places import ROOT
from tests.helpers.small_scenes import program, small_scene
from tests.helpers.synthetic_captures import ring_cameras

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
RED_IS_OBJECT = 20.0


def write_network(path: Path, channels: int = 3, *, probabilities: bool = True) -> Path:
    """Calls object what is redder than the rest: a 1x1 convolution and a logistic function."""
    weights = np.zeros((1, channels, 1, 1), np.float32)
    weights[0, 0], weights[0, 1] = RED_IS_OBJECT, -RED_IS_OBJECT
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("Conv", ["image", "weights", "bias"], ["logits"]),
            onnx.helper.make_node(
                "Sigmoid" if probabilities else "Identity", ["logits"], ["probability"]
            ),
        ],
        "red",
        [value("image", onnx.TensorProto.FLOAT, [1, channels, 32, 32])],
        [value("probability", onnx.TensorProto.FLOAT, [1, 1, 32, 32])],
        [
            onnx.numpy_helper.from_array(weights, "weights"),
            onnx.numpy_helper.from_array(np.array([-RED_IS_OBJECT], np.float32), "bias"),
        ],
    )
    opset = [onnx.helper.make_opsetid("", 13)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return write_network(tmp_path / "red.onnx")


def photo_of_red_box(height: int = 60, width: int = 80) -> np.ndarray:
    photo = np.full((height, width, 3), 90, np.uint8)
    photo[10:30, 5:45] = [220, 30, 30]
    return photo


def test_a_network_finds_the_object(network):
    mask = foreground(load_network(network), photo_of_red_box())
    truth = photo_of_red_box()[:, :, 0] > 200
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) == {0, 255}
    assert ((mask > 0) & truth).sum() / ((mask > 0) | truth).sum() > 0.85


def test_masks_of_the_user_win_and_empty_ones_are_left_out(tmp_path, network):
    scene = load_scene(small_scene(tmp_path / "scene"))
    frames = [
        frame if i in (0, 5) else replace(frame, mask=None) for i, frame in enumerate(scene.frames)
    ]
    for i, frame in enumerate(frames[:-1]):
        if i != 5:
            write_image(frame.image, photo_of_red_box(24, 32))
    scene, lines = replace(scene, frames=tuple(frames)), []
    work = tmp_path / "work"
    masked = mask_photos(scene, network, work=work, threads=1, report=lines.append)
    assert masked.masked == tuple(range(7))  # in the last, all grey, is nothing
    assert [masked.frames[i].mask for i in (0, 5)] == [frames[i].mask for i in (0, 5)]
    assert load_mask(masked, 1)[15, 20] == 255
    assert lines == [
        "red.onnx found an object in 5 of 6 images without a mask",
        "nothing found in: 007",
    ]
    kept = {file: file.stat().st_mtime_ns for file in work.rglob("*.png")}
    mask_photos(scene, network, work=work, threads=1, report=lines.append)
    assert {file: file.stat().st_mtime_ns for file in work.rglob("*.png")} == kept
    whole = load_scene(tmp_path / "scene")
    assert mask_photos(whole, network, work=work, threads=1, report=lines.append) is whole
    assert lines[-1].startswith("every image has a mask")


@pytest.mark.parametrize(("orientation", "clockwise"), [(6, 1), (3, 2), (8, 3)])
def test_masks_lie_on_photos_that_are_stored_turned(tmp_path, network, orientation, clockwise):
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    upright = photo_of_red_box()
    stored = np.ascontiguousarray(np.rot90(upright, clockwise))
    Image.fromarray(stored).save(tmp_path / "0.png", exif=tags)
    assert (read_image(tmp_path / "0.png") == stored).all()
    cameras = ring_cameras(3)
    photo = PosedPhoto(
        "0.png", tmp_path / "0.png", None, stored.shape[1::-1], cameras.intrinsics[0],
        cameras.camera_to_world[0], Orientation(clockwise),
    )  # fmt: skip
    scene = assemble([photo], unit="m").scene
    masked = mask_photos(scene, network, work=tmp_path / "work", threads=1, report=print)
    mask, truth = load_mask(masked, 0) > 127, upright[:, :, 0] > 200
    assert (mask & truth).sum() / (mask | truth).sum() > 0.85


def test_the_program_writes_masks_where_there_were_none(tmp_path, network):
    path = small_scene(tmp_path / "source")
    for file in sorted((path / "images").iterdir())[:6]:
        write_image(file, photo_of_red_box(24, 32))
    for mask in sorted((path / "masks").iterdir())[:4]:
        mask.unlink()
    records = (path / "transforms.json").read_text()
    (path / "transforms.json").write_text(records.replace('"mask_path"', '"no_mask"'))
    words = ["--source", "nerfstudio", "--path", str(path), "--output", str(tmp_path / "scene")]
    words += ["--sphere", '{"centre": [1, 2, 3], "radius": 3}', "--mask-model", str(network)]
    with pytest.raises(InputError, match="give --work, too"):
        program("normalize_scene")(words)
    assert program("normalize_scene")([*words, "--work", str(tmp_path / "work")]) == 0
    scene = load_scene(tmp_path / "scene")
    assert len(scene.masked) >= 6


def scans(tmp_path: Path, **keys: object):
    scan = {"name": "a", "source": "photos", "path": str(tmp_path), "masks": "auto", "holdout": 8}
    scan |= {"downscale": 1, "overrides": {}} | keys
    return scans_from_config({"results": "out", "overrides": {}, "scans": [scan]})


def test_what_is_missing_or_wrong_is_refused_before_any_work(tmp_path, network, monkeypatch):
    for i in range(3):
        write_image(tmp_path / f"{i}.png", photo_of_red_box())
    check_inputs(scans(tmp_path, mask_model=str(network)), [])
    (tmp_path / "text.onnx").write_text("no network")
    grey = write_network(tmp_path / "grey.onnx", channels=2)
    for keys, sentence in (
        ({"mask_model": "u2net.onnx"}, r"^scan a: u2net\.onnx does not exist: correct the key"),
        ({"mask_model": str(tmp_path / "text.onnx")}, r"text\.onnx is no ONNX network"),
        ({"mask_model": str(grey)}, r"grey\.onnx does not take one image"),
        ({"mask_model": str(network), "masks": False}, "it goes with masks: auto"),
    ):
        with pytest.raises(InputError, match=sentence) as error:
            check_inputs(scans(tmp_path, **keys), [])
        assert "\n" not in str(error.value)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match=r"^scan a: mask_model needs ONNX Runtime: pip install"):
        check_inputs(scans(tmp_path, mask_model=str(network)), [])


def test_a_network_of_something_else_is_refused(tmp_path):
    network = load_network(write_network(tmp_path / "logits.onnx", probabilities=False))
    with pytest.raises(InputError, match="returns no probabilities"):
        foreground(network, photo_of_red_box())


def test_the_workflow_hands_the_network_to_the_scene(tmp_path, network):
    for i in range(4):
        write_image(tmp_path / "photos" / f"{i}.png", photo_of_red_box())
    scan = {"name": "statue", "source": "photos", "path": str(tmp_path / "photos")}
    config = {"scans": [scan | {"mask_model": str(network)}], "methods": ["neus"]}
    file = tmp_path / "my.json"
    file.write_text(json.dumps(config | {"results": str(tmp_path / "results")}))
    words = ["-m", "snakemake", "--dry-run", "--printshellcmds", "--cores", "1"]
    words += ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    done = subprocess.run(
        [sys.executable, *words, "--configfile", str(file)],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed = done.stdout + done.stderr
    assert f"--mask-model {network}" in printed
    assert f"--work {tmp_path}/results/statue/run/masks" in printed
