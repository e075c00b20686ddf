"""Image figures against closed forms and slow loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neus.errors import InputError
from neus.metrics.images import mask_iou, psnr, ssim


def noisy_pair(height: int = 17, width: int = 23) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    photo = rng.random((height, width, 3))
    return np.clip(photo + 0.1 * rng.standard_normal(photo.shape), 0, 1), photo


def ssim_by_loops(x: np.ndarray, y: np.ndarray) -> float:
    """Equation 13 of Wang et al. 2004, one window and one pixel of it at a time."""
    offsets = range(-5, 6)
    weight = {(i, j): math.exp(-(i * i + j * j) / (2 * 1.5**2)) for i in offsets for j in offsets}
    total = sum(weight.values())
    values = []
    for c in range(x.shape[2]):
        for row in range(5, x.shape[0] - 5):
            for column in range(5, x.shape[1] - 5):
                mx = my = 0.0
                for (i, j), w in weight.items():
                    mx += w / total * x[row + i, column + j, c]
                    my += w / total * y[row + i, column + j, c]
                vx = vy = vxy = 0.0
                for (i, j), w in weight.items():
                    dx = x[row + i, column + j, c] - mx
                    dy = y[row + i, column + j, c] - my
                    vx, vy, vxy = (
                        vx + w / total * dx * dx,
                        vy + w / total * dy * dy,
                        vxy + w / total * dx * dy,
                    )
                c1, c2 = 0.01**2, 0.03**2
                numerator = (2 * mx * my + c1) * (2 * vxy + c2)
                values.append(numerator / ((mx**2 + my**2 + c1) * (vx + vy + c2)))
    return float(np.mean(values))


@given(st.floats(1e-4, 1.0))
def test_psnr_of_a_constant_difference(difference: float) -> None:
    photo = np.zeros((2, 3, 3))
    assert psnr(photo + difference, photo) == pytest.approx(-20 * math.log10(difference))


def test_psnr_of_equal_images_is_infinite() -> None:
    _, photo = noisy_pair()
    assert psnr(photo, photo) == math.inf


def test_psnr_counts_only_masked_pixels() -> None:
    photo = np.zeros((4, 4, 3))
    rendering = np.full_like(photo, 0.9)
    rendering[:2] = 0.1
    mask = np.zeros((4, 4))
    mask[:2] = 0.51
    mask[2:] = 0.5
    assert psnr(rendering, photo, mask) == pytest.approx(20)


def test_psnr_of_an_empty_mask_is_nan() -> None:
    rendering, photo = noisy_pair()
    assert math.isnan(psnr(rendering, photo, np.zeros(photo.shape[:2])))


def test_psnr_of_float32_images_is_computed_in_double_precision() -> None:
    photo = np.zeros((64, 64, 3), np.float32)
    assert psnr(photo + np.float32(0.5), photo) == pytest.approx(20 * math.log10(2), abs=1e-12)


def test_ssim_agrees_with_a_direct_loop() -> None:
    rendering, photo = noisy_pair(13, 15)
    assert ssim(rendering, photo) == pytest.approx(ssim_by_loops(rendering, photo), abs=1e-12)


def test_ssim_of_constant_images_is_the_luminance_term() -> None:
    a, b = 0.3, 0.7
    expected = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4)
    assert ssim(np.full((20, 20, 3), a), np.full((20, 20, 3), b)) == pytest.approx(expected)


def test_ssim_is_one_for_equal_images_and_symmetric() -> None:
    rendering, photo = noisy_pair()
    assert ssim(photo, photo) == pytest.approx(1)
    assert ssim(rendering, photo) == pytest.approx(ssim(photo, rendering))
    assert ssim(rendering, photo) < 0.99


def test_mask_iou() -> None:
    opacity = np.array([[0.9, 0.6, 0.5, 0.0]])
    mask = np.array([[1.0, 0.0, 1.0, 0.0]])
    assert mask_iou(opacity, mask) == pytest.approx(1 / 3)
    assert mask_iou(opacity, mask, threshold=0.8) == pytest.approx(1 / 2)
    assert mask_iou(mask, mask) == 1


def test_mask_iou_of_two_empty_masks_is_one() -> None:
    assert mask_iou(np.zeros((2, 2)), np.zeros((2, 2))) == 1


def test_differing_sizes_and_small_images_are_refused() -> None:
    rendering, photo = noisy_pair()
    with pytest.raises(InputError, match="photo's own size"):
        psnr(rendering[1:], photo)
    with pytest.raises(InputError, match="resize the mask"):
        psnr(rendering, photo, np.ones((2, 2)))
    with pytest.raises(InputError, match="11 x 11"):
        ssim(rendering[:10], photo[:10])
