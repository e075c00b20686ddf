"""Photos that fall apart into several models: the largest is taken, and all are told of."""

from __future__ import annotations

from pathlib import Path

import cv2  # noqa: F401  (before pycolmap, see import_pycolmap)
import numpy as np
import pycolmap
import pytest

from neus.errors import InputError
from neus.poses.mapping import map_photos
from neus.poses.method import Method
from neus.poses.prepared import PreparedPhotos
from neus.poses.unplaced import why_unplaced


def prepared(place: Path, count: int) -> PreparedPhotos:
    photos = tuple(place / f"{i}.jpg" for i in range(count))
    return PreparedPhotos(photos, tuple(p.name for p in photos), None, place, ())


class Model:
    def __init__(self, images: int) -> None:
        self.images = images

    def num_reg_images(self) -> int:
        return self.images


@pytest.mark.parametrize("mapper", ["incremental", "global"])
def test_the_largest_model_is_taken_and_all_are_told_of(monkeypatch, tmp_path: Path, mapper):
    models = {0: Model(15), 1: Model(40), 2: Model(3)}
    monkeypatch.setattr(pycolmap, f"{mapper}_mapping", lambda *_, **__: models)
    lines: list[str] = []
    photos = prepared(tmp_path, 60)
    found = map_photos(
        photos,
        tmp_path / "database.db",
        tmp_path,
        Method(mapper=mapper),
        1,
        lines.append,
        lambda share: None,
    )
    assert found is models[1]
    assert lines[0] == (
        "the photos fall apart into models of 40, 15, 3 images: the largest is kept"
    )
    assert lines[1].startswith("40 of 60 images registered")


@pytest.mark.parametrize(
    ("kinds", "sentence"),
    [
        ([], "no two photos in photos show the same thing"),
        (["PANORAMIC", "PLANAR_OR_PANORAMIC", "CALIBRATED"], "the photos in photos show no depth"),
        (["PLANAR", "CALIBRATED", "CALIBRATED"], "no poses could be estimated from the photos in"),
    ],
)
def test_why_nothing_could_be_placed(monkeypatch, tmp_path: Path, kinds, sentence):
    database = tmp_path / "database.db"
    with pycolmap.Database.open(database) as content:
        camera = pycolmap.Camera(model="PINHOLE", width=80, height=60, params=[80, 80, 40, 30])
        camera_id = content.write_camera(camera)
        images = [
            content.write_image(pycolmap.Image(name=f"{i}.jpg", camera_id=camera_id))
            for i in range(len(kinds) + 1)
        ]
        for image, kind in zip(images[1:], kinds, strict=True):
            geometry = pycolmap.TwoViewGeometry()
            geometry.config = getattr(pycolmap.TwoViewGeometryConfiguration, kind)
            geometry.inlier_matches = np.zeros((20, 2), np.uint32)
            content.write_two_view_geometry(images[0], image, geometry)
    assert why_unplaced(database, Path("photos")).startswith(sentence)
    monkeypatch.setattr(pycolmap, "incremental_mapping", lambda *_, **__: {})
    with pytest.raises(InputError, match=sentence.split(" ")[0]):
        map_photos(
            prepared(Path("photos"), 1), database, tmp_path, Method(), 1, print, lambda share: None
        )
