"""Where features are found: on a GPU only if there is one and pycolmap is made for it."""

from __future__ import annotations

from pathlib import Path

import cv2  # noqa: F401  (before pycolmap, see import_pycolmap)
import numpy as np
import pycolmap
import pytest
import torch

from neus.images.files import write_image
from neus.poses import matching
from neus.poses.features import extract_features, sift_device


@pytest.mark.parametrize(
    ("asked", "made_for_cuda", "has_card", "found"),
    [
        ("auto", True, True, "cuda"),
        ("cuda", True, True, "cuda"),
        ("cpu", True, True, "cpu"),
        ("auto", False, True, "cpu"),
        ("cuda", False, True, "cpu"),
        ("auto", True, False, "cpu"),
    ],
)
def test_a_gpu_is_used_where_it_can_be(monkeypatch, asked, made_for_cuda, has_card, found):
    monkeypatch.setattr(pycolmap, "has_cuda", made_for_cuda)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_card)
    assert sift_device(asked) == found


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_colmap_is_told_where_to_work(monkeypatch, tmp_path: Path, device):
    told, lines = [], []

    def note_features(*_, extraction_options, device, **__):
        told.append((extraction_options.use_gpu, device))

    def note_matches(*_, matching_options, device, **__):
        told.append((matching_options.use_gpu, device))

    monkeypatch.setattr(pycolmap, "extract_features", note_features)
    monkeypatch.setattr(pycolmap, "match_image_pairs", note_matches)
    write_image(tmp_path / "0.png", np.zeros((60, 80, 3), np.uint8))
    extract_features(
        [tmp_path / "0.png"], tmp_path / "database.db", lens="PINHOLE", intrinsics=None,
        max_size=80, device=device, threads=1, report=lines.append,
    )  # fmt: skip
    matching.match_pairs(tmp_path / "database.db", [("0.png", "0.png")], seed=0, device=device)
    assert told == [(device == "cuda", getattr(pycolmap.Device, device))] * 2
    assert lines[-1].endswith("on the GPU") == (device == "cuda")
