"""Mistakes in a configuration: one sentence each, naming the scan, the key and the remedy."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from neus.errors import InputError
from neus.pipeline.keys import check_keys, sound_part
from neus.pipeline.preflight import absent_references, check_inputs
from neus.pipeline.scans import Scan, merged, scans_from_config
from tests.helpers.places import ROOT

SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"
NEUS, NEUS_MASK = (ROOT / "config" / "methods" / f"{name}.yaml" for name in ("neus", "neus-mask"))

DTU = {"name": "a", "source": "dtu", "path": "p"}
MESH = {"kind": "mesh", "path": "m.ply"}


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.name)
def test_the_configurations_of_the_project_fit_the_schema(path: Path) -> None:
    check_keys(yaml.safe_load(path.read_text()), SCHEMA)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"method": ["neus"]}, "config: unknown key method: did you mean methods?"),
        ({"xyz": 1}, "config: unknown key xyz: the keys are scans, only, methods"),
        ({"methods": "neus"}, "config: key methods, 'neus' is not of type 'array': Names of"),
        ({"seeds": [0, "1"]}, "config: key seeds.1, '1' is not of type 'integer': --config makes"),
        ({"seeds": [0, 0]}, "config: key seeds, [0, 0] has non-unique elements: Seeds"),
        ({"device": "gpu"}, "config: key device, 'gpu' is not one of ['auto', 'cpu', 'cuda']"),
        ({"mesh": {"resolution": 1}}, "config: key mesh.resolution, 1 is less than the minimum"),
        ({"results": "a,b"}, "config: key results, 'a,b' is refused: Folder that everything"),
        ({"scans": []}, "config: key scans, [] should be non-empty: The objects"),
        ({"scans": ["a"]}, "config: scan number 1, 'a' is not of type 'object'"),
    ],
)
def test_a_wrong_key(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        check_keys({"scans": [DTU]} | keys, SCHEMA)
    assert str(error.value).startswith(sentence)


@pytest.mark.parametrize(
    ("scan", "sentence"),
    [
        (DTU | {"downscal": 2}, "config: scan a, unknown key downscal: did you mean downscale?"),
        ({"name": "a", "source": "dtu"}, "config: scan a, the key path is missing"),
        (DTU | {"source": "bundler"}, "config: scan a, key source, 'bundler' is not one of"),
        (DTU | {"source": "demo"}, "config: scan a, key path, 'p' is refused: A scan of source"),
        (DTU | {"demo": {}}, "config: scan a, key demo, {} is refused: Only a scan of source"),
        (DTU | {"name": "demo"}, "config: scan demo, key name, 'demo' is refused: Letters"),
        (DTU | {"holdout": 1}, "config: scan a, key holdout, 1 is refused: One image in so many"),
        (DTU | {"reference": {"kind": "dtu", "root": "r"}}, "config: scan a, key reference, the"),
        (DTU | {"reference": MESH | {"kind": "x"}}, "config: scan a, key reference.kind, 'x' is"),
        (DTU | {"reference": MESH | {"scan": 1}}, "config: scan a, key reference.scan, 1 is ref"),
        ({"name": "a", "source": "demo", "demo": {"view": 9}}, "config: scan a, key demo, unknown"),
    ],
)
def test_a_wrong_key_of_a_scan(scan: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        check_keys({"scans": [scan]}, SCHEMA)
    assert str(error.value).startswith(sentence)


def test_every_key_is_described_and_has_a_default_or_must_be_given() -> None:
    schema = yaml.safe_load(SCHEMA.read_text())
    tables = [schema, *schema["$defs"].values()]
    tables += [table for table in schema["properties"].values() if "properties" in table]
    optional = """path reference demo kind root scan cameras culling threshold scene trajectory
        intrinsics mask_model scale distance between positions unit image_size surface_density
        container views scans"""
    for table in tables:
        for key, value in table.get("properties", {}).items():
            assert value["description"].strip().endswith("."), key
            assert "default" in value or key in {*table.get("required", []), *optional.split()}, key


def test_what_is_left_of_a_configuration_with_faults_is_sound() -> None:
    """So that faults of keys and of files are said in one round."""
    config: dict[str, Any] = {
        "scans": [
            DTU | {"downscal": 2, "masks": "yes", "sphere": {"centre": [0, 0]}},
            {"name": "b", "source": "dtu"},
            DTU | {"name": "c", "reference": {"kind": "mesh"}, "scale": {"between": [1]}},
        ],
        "seed": 3,
        "mesh": {"resolution": 1},
        "only": ["a", "b", 7],
    }
    before = copy.deepcopy(config)
    part = sound_part(config, SCHEMA)
    assert part == {
        "scans": [DTU, DTU | {"name": "c", "scale": {}}],
        "mesh": {},
        "only": ["a"],
    }
    assert part is not None
    check_keys(part, SCHEMA)
    assert config == before
    for empty in ({}, {"scans": []}, {"scans": ["a"]}, {"scans": [{"name": "a"}]}):
        assert sound_part(empty, SCHEMA) is None


def with_defaults(**scan: Any) -> Scan:
    """A scan as it is after the schema has filled in its defaults."""
    defaults = {"downscale": 1, "masks": "auto", "holdout": 8, "overrides": {}}
    config = {"scans": [defaults | scan], "results": "out", "overrides": {"training": {"steps": 9}}}
    return scans_from_config(copy.deepcopy(config))[0]


def test_a_size_is_given_once_and_a_whole_factor_stays_one() -> None:
    assert repr(with_defaults(**DTU, downscale=2.0).downscale) == "2", "as finished runs recorded"
    assert with_defaults(**DTU, downscale=1.5).downscale == 1.5
    assert with_defaults(**DTU, image_size=[400, 300]).image_size == (400, 300)
    with pytest.raises(InputError, match="scan a has both keys image_size and downscale"):
        with_defaults(**DTU, image_size=[400, 300], downscale=2)


def test_paths_below_the_results_and_the_place_of_a_demo() -> None:
    assert with_defaults(name="a", source="demo").path == Path("out/demo/a")
    scan = with_defaults(name="b", source="photos", path="{results}/x", reference=MESH)
    assert (scan.path, scan.reference.path) == (Path("out/x"), Path("m.ply"))
    dtu = with_defaults(**DTU, reference={"kind": "dtu", "root": "{results}/r", "scan": 7})
    assert dtu.reference.root == Path("out/r")


def test_a_reference_is_absent_while_its_folder_is(tmp_path: Path) -> None:
    given = {"kind": "dtu", "root": str(tmp_path / "r"), "scan": 7, "culling": ["neus", "none"]}
    absent = with_defaults(**DTU, reference=given)
    assert (absent.reference.files, absent.reference.culling) == ([], ("none",))
    (sentence,) = absent_references([absent, with_defaults(**DTU)])
    assert sentence.endswith("r, does not exist: the meshes of a are made but not measured")
    (tmp_path / "r").mkdir()
    there = with_defaults(**DTU, reference=given)
    assert there.reference.files[0] == tmp_path / "r/Points/stl/stl007_total.ply"
    assert there.reference.culling == ("neus", "none")
    assert absent_references([there]) == []


def test_folders_may_be_called_as_in_either_release(tmp_path: Path) -> None:
    scan = {"name": "a", "source": "dtu", "path": str(tmp_path / "scan24")}
    assert with_defaults(**scan).path == tmp_path / "scan24"
    (tmp_path / "dtu_scan24").mkdir()
    assert with_defaults(**scan).path == tmp_path / "dtu_scan24"
    (tmp_path / "scan24").mkdir()
    assert with_defaults(**scan).path == tmp_path / "scan24"


def test_overrides_of_all_scans_win_over_those_of_one() -> None:
    own = {"training": {"steps": 1, "samples": 2}, "model": {"background": "black"}}
    assert with_defaults(**DTU, overrides=own).overrides == {
        "training": {"steps": 9, "samples": 2},
        "model": {"background": "black"},
    }
    assert merged({"a": 1}, {"a": {"b": 2}}) == {"a": {"b": 2}}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "statue"
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
        for i in range(4):
            image = np.full((24, 32, 3), 10 * i, np.uint8)
            image[5:15, 8:20] = 200
            cv2.imwrite(str(folder / name / f"{i:03}.png"), image)
    return folder


def test_masks_are_found_insisted_on_or_ignored(photos: Path) -> None:
    scan = {"name": "a", "source": "photos", "path": str(photos)}
    choices = {choice: with_defaults(**scan, masks=choice) for choice in ("auto", True, False)}
    assert [scan.masks for scan in choices.values()] == ["auto", "all", "none"]
    (photos / "masks" / "000.png").unlink()
    check_inputs([choices["auto"]], [NEUS])  # a photo without a mask is used, too
    with pytest.raises(InputError, match=r"^scan a: .* no mask for 1 of 4 images \(000\.png\)"):
        check_inputs([choices[True]], [NEUS])
    shutil.rmtree(photos / "masks")
    with pytest.raises(InputError, match=r"^scan a: .* no mask for 4 of 4 images"):
        check_inputs([choices[True]], [NEUS])


def test_broken_photos_are_left_out_but_three_must_remain(photos: Path) -> None:
    scan = with_defaults(name="a", source="photos", path=str(photos))
    (photos / "images" / "000.png").write_bytes(b"")
    check_inputs([scan], [NEUS])
    (photos / "images" / "001.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"^scan a: .*: found 2 photos that can be read"):
        check_inputs([scan], [NEUS])


def test_what_is_right_passes(photos: Path) -> None:
    scans = [
        with_defaults(name="a", source="photos", path=str(photos)),
        with_defaults(name="b", source="demo"),
        with_defaults(
            name="c",
            source="photos",
            path=str(photos),
            reference={"kind": "mesh", "path": "out/demo/b/m.ply", "cameras": "out/demo/b"},
        ),
    ]
    check_inputs(scans, [NEUS, NEUS_MASK])


def test_two_scans_of_one_name(photos: Path) -> None:
    scan = with_defaults(name="a", source="photos", path=str(photos))
    with pytest.raises(InputError, match=r"^config: 2 scans are called a: give"):
        check_inputs([scan, scan], [NEUS])


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"path": "nowhere"}, "scan a: the folder nowhere does not exist"),
        ({"path": "nowhere.mp4"}, "scan a: the folder nowhere.mp4 does not exist"),
        ({"intrinsics": "K.txt"}, "scan a: K.txt does not exist: correct the key intrinsics"),
        ({"scale": {"distance": 2}}, "scan a: scale: give distance and between, or positions"),
        ({"scale": {"positions": "p"}}, "scan a: p does not exist: correct the key scale.positi"),
        ({"sphere": {"low": [0, 0, 0], "high": [0, 1, 1]}}, "scan a: sphere: every coordinate"),
        ({"up": [0, 0, 0]}, "scan a: up: [0, 0, 0] is no direction"),
        ({"reference": MESH}, "scan a: m.ply does not exist: correct the key reference"),
        (
            {"reference": MESH | {"path": __file__, "cameras": "c"}},
            "scan a: c: found no such",
        ),
        ({"overrides": {"training": {"stps": 1}}}, "scan a: overrides: key training.stps"),
    ],
)
def test_a_wrong_input(photos: Path, keys: dict[str, Any], sentence: str) -> None:
    scan = {"name": "a", "source": "photos", "path": str(photos)} | keys
    with pytest.raises(InputError) as error:
        check_inputs([with_defaults(**scan)], [NEUS_MASK])
    assert str(error.value).startswith(sentence)


def test_an_unknown_method() -> None:
    with pytest.raises(InputError, match=r"nerf\.yaml does not exist"):
        check_inputs([], [NEUS.with_name("nerf.yaml")])
