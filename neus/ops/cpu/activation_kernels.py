"""Activations of tiles, vectorised through a polynomial exponential.

numba calls the scalar exponential of the C library, which would keep these loops from
vectorising; the polynomial below is exact to two units in the last place of float32.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from neus.ops.cpu.compilation import index, inlined, kernel

_F32, _I32 = nb.float32, nb.int32
_ONE, _TWO = np.float32(1), np.float32(2)


@inlined
def exp_of_negative(x):
    """exp(x) for x <= 0: reduction by ln 2 and a minimax polynomial (Cephes expf)."""
    x = max(x, np.float32(-87.0))
    exponent = _I32(x * _F32(1.44269504) - _F32(0.5))  # pyright: ignore
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


@inlined
def sigmoid(x):
    e = exp_of_negative(-abs(x))
    positive = _ONE / (_ONE + e)
    return positive if x >= 0 else e * positive


@inlined
def one_minus_exp(x):
    """1 - exp(x) for x <= 0, to float32's precision near 0, too: there by the series."""
    p = _F32(1 / 40320)
    p = p * x + _F32(1 / 5040)
    p = p * x + _F32(1 / 720)
    p = p * x + _F32(1 / 120)
    p = p * x + _F32(1 / 24)
    p = p * x + _F32(1 / 6)
    p = p * x + _F32(0.5)
    p = p * x + _ONE
    return -p * x if x > _F32(-0.5) else _ONE - exp_of_negative(x)


@kernel
def softplus(z, sharpness, count, value, slope, at):
    """``log1p(exp(k z)) / k``, and its derivative, the sigmoid of ``k z``, from ``at`` on.

    log1p(e) with e = exp(-|k z|) in (0, 1] is 2 artanh(e / (2 + e)), whose series converges fast.
    """
    scale = _ONE / sharpness
    for i in range(count):
        scaled = z[i] * sharpness
        e = exp_of_negative(-abs(scaled))
        positive = _ONE / (_ONE + e)
        h = e / (_TWO + e)
        h2 = h * h
        series = _F32(2 / 13)
        series = series * h2 + _F32(2 / 11)
        series = series * h2 + _F32(2 / 9)
        series = series * h2 + _F32(2 / 7)
        series = series * h2 + _F32(2 / 5)
        series = series * h2 + _F32(2 / 3)
        series = series * h2 + _TWO
        value[index(at + i)] = (max(scaled, _F32(0)) + series * h) * scale
        slope[index(at + i)] = positive if scaled >= 0 else e * positive


@kernel
def softplus_backward(
    slope, slope_at, value_bar, chain, chain_at, sloped_bar, sloped_at, sharpness, count, z_bar
):
    """``z_bar`` of ``(a, q) = (softplus(z), v softplus'(z))``, given those of a and q.

    v is ``chain``; softplus'' = k softplus' (1 - softplus').
    """
    for i in range(count):
        s = slope[index(slope_at + i)]
        curvature = sharpness * s * (_ONE - s)
        bent = sloped_bar[index(sloped_at + i)] * chain[index(chain_at + i)] * curvature
        z_bar[i] = value_bar[i] * s + bent


@kernel
def multiply_elements(a, a_at, b, b_at, count, product):
    for i in range(count):
        product[i] = a[index(a_at + i)] * b[index(b_at + i)]


@kernel
def relu(values, at, count):
    for i in range(count):
        values[index(at + i)] = max(values[index(at + i)], _F32(0))


@kernel
def relu_backward(values, at, count, value_bar):
    """Zero ``value_bar`` where ``values``, the result of :func:`relu`, is zero."""
    for i in range(count):
        value_bar[i] = value_bar[i] if values[index(at + i)] > 0 else _F32(0)
