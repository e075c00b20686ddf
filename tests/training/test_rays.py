"""Batches of rays: they see the pixels that they pass through, near silhouettes, of one image."""

from __future__ import annotations

import numpy as np
import torch

from neus.training.rays import PixelPool
from tests.helpers.trainings import CPU, sphere_capture


def test_drawn_rays_see_the_pixels_that_they_pass_through():
    cameras, images, masks = sphere_capture(views=3, size=16)
    narrow = cameras.resized(np.array([16, 16, 8]), np.array([16, 16, 16]))
    images[2], masks[2] = images[2][:, ::2], masks[2][:, ::2]  # a third image of another size
    images = [np.full_like(image, 10 * i) + np.indices(image.shape[:2])[1][..., None].astype(
        np.uint8) for i, image in enumerate(images)]  # fmt: skip
    pool = PixelPool(narrow, images, masks, CPU)
    batch = pool.draw(500, 0.5, torch.Generator().manual_seed(0))
    for index in range(3):
        at_centre = np.isclose(batch.origins.numpy(), narrow.centres[index], atol=1e-5)
        here = torch.from_numpy(np.asarray(at_centre.all(axis=1)))
        assert here.sum() > 50
        ahead = batch.origins[here] + batch.directions[here]
        pixels, depth = narrow.project(index, ahead.numpy().astype(float))
        assert (depth > 0).all()
        column, row = np.floor(pixels).astype(int).T
        np.testing.assert_allclose(pixels % 1, 0.5, atol=1e-3)
        shown = images[index][row, column] / 255
        np.testing.assert_allclose(batch.colours[here].numpy(), shown, atol=1e-6)
        covered = masks[index][row, column] / 255
        np.testing.assert_allclose(batch.coverage[here].numpy(), covered)


def test_masked_rays_stay_near_the_silhouette():
    cameras, images, masks = sphere_capture(views=2, size=64)
    pool = PixelPool(cameras, images, masks, CPU)
    batch = pool.draw(2000, 1.0, torch.Generator().manual_seed(0))
    inside = float((batch.coverage > 0.5).float().mean())
    assert 0.6 < inside < 0.95  # some just outside, to keep the silhouette tight


def test_a_batch_of_one_image_holds_its_rays_alone():
    cameras, images, masks = sphere_capture(views=5, size=24)
    some = [None if index == 3 else mask for index, mask in enumerate(masks)]
    generator, seen = torch.Generator().manual_seed(0), set()
    for kept in (masks, some, None):
        pool = PixelPool(cameras, images, kept, CPU)
        for _ in range(12):
            batch = pool.draw(300, 0.9, generator, one_image=True)
            assert len(batch.origins.unique(dim=0)) == 1
            seen.add(tuple(batch.origins[0].tolist()))
            if kept is masks:
                assert float((batch.coverage > 0.5).float().mean()) > 0.5
    assert len(seen) == 5
