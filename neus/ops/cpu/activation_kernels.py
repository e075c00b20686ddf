"""numba kernels of the sharp softplus, vectorised through a polynomial exponential.

numba calls the scalar exponential of the C library, which would keep these loops from
vectorising; the polynomial below is exact to two units in the last place of float32.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from neus.ops.cpu.grid_kernels import OPTIONS

_F32, _I32 = nb.float32, nb.int32


@nb.njit(inline="always", **OPTIONS)
def _exp_of_negative(x):
    """exp(x) for x <= 0: reduction by ln 2 and a minimax polynomial (Cephes expf)."""
    x = max(x, _F32(-87.0))
    exponent = _I32(x * _F32(1.44269504) - _F32(0.5))
    whole = _F32(exponent)
    r = x - whole * _F32(0.693359375) + whole * _F32(2.12194440e-4)
    p = _F32(1.9875691500e-4)
    p = p * r + _F32(1.3981999507e-3)
    p = p * r + _F32(8.3334519073e-3)
    p = p * r + _F32(4.1665795894e-2)
    p = p * r + _F32(1.6666665459e-1)
    p = p * r + _F32(0.5)
    p = p * r * r + r + _F32(1)
    return p * np.int32((exponent + _I32(127)) << _I32(23)).view(np.float32)


@nb.njit(parallel=True, **OPTIONS)
def softplus_with_slope(z, sharpness, value, slope):
    """``log1p(exp(k z)) / k`` and the sigmoid of ``k z``.

    log1p(e) with e = exp(-|k z|) in (0, 1] is 2 artanh(e / (2 + e)), whose series converges fast.
    """
    one, two = _F32(1), _F32(2)
    scale = one / sharpness
    for channel in nb.prange(z.shape[0]):
        for n in range(z.shape[1]):
            scaled = z[channel, n] * sharpness
            e = _exp_of_negative(-abs(scaled))
            positive = one / (one + e)
            h = e / (two + e)
            h2 = h * h
            series = _F32(2 / 13)
            series = series * h2 + _F32(2 / 11)
            series = series * h2 + _F32(2 / 9)
            series = series * h2 + _F32(2 / 7)
            series = series * h2 + _F32(2 / 5)
            series = series * h2 + _F32(2 / 3)
            series = series * h2 + two
            value[channel, n] = (max(scaled, _F32(0)) + series * h) * scale
            slope[channel, n] = positive if scaled >= 0 else e * positive


@nb.njit(parallel=True, **OPTIONS)
def softplus_backward(slope, value_bar, sensitivity, sloped_bar, sharpness, z_bar, sensitivity_bar):
    one = _F32(1)
    for channel in nb.prange(slope.shape[0]):
        for n in range(slope.shape[1]):
            s = slope[channel, n]
            q = sloped_bar[channel, n]
            curvature = sharpness * s * (one - s)
            z_bar[channel, n] = value_bar[channel, n] * s + q * sensitivity[channel, n] * curvature
            sensitivity_bar[channel, n] = q * s
