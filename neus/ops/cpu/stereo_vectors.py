"""The inner loops of PatchMatch in vector registers, written as LLVM code that numba compiles in.

As in ``vector_code``: numba's own loops would load the homographies and store the sums at every
tap; here both stay in registers over a whole window. ``VECTOR`` lanes are worked on at a time;
arrays are flat and have a start index, rows of lanes are ``LANES`` apart.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from neus.ops.cpu.vector_code import fma, pointer

LANES = 32
"""Hypotheses scored side by side: what a source's 25 taps need fits into a first-level cache."""
VECTOR = 16
_INDEX, _FLOAT, _WORD = ir.IntType(64), ir.FloatType(), ir.IntType(32)
_FLOATS, _WORDS = ir.VectorType(_FLOAT, VECTOR), ir.VectorType(_WORD, VECTOR)
_PAIRS = ir.VectorType(_WORD, 2 * VECTOR)
_SMALLEST = 2.0**-20


@intrinsic
def place_taps(
    typing, at, at_0, offsets, offsets_0, taps, right, bottom, stride, places, places_0,
    fractions, fractions_0,
):  # fmt: skip
    """Where the taps of windows lie in a source: words and fractions.

    ``at[9, LANES]`` holds the homographies (x, x by dx, x by dy, y ..., z ...),
    ``offsets[taps, 2]`` the taps' (dx, dy); ``places[taps, LANES]`` become ``row * stride +
    column``, clamped to the picture, ``fractions[taps, 2, LANES]`` what is left of x and y.
    """
    index = types.int64
    signature = types.void(
        at, index, offsets, index, index, types.float32, types.float32, types.int32,
        places, index, fractions, index,
    )  # fmt: skip

    def generate(context, builder, signature, arguments):
        at, offset, place, fraction = (
            pointer(context, builder, signature, arguments, i) for i in (0, 2, 8, 10)
        )
        planes = [_load(builder, at, _INDEX(k * LANES), _FLOATS) for k in range(9)]
        right, bottom, stride = (_spread(builder, arguments[i]) for i in (5, 6, 7))
        with cgutils.for_range(builder, arguments[4], intp=_INDEX) as loop:
            first = builder.mul(loop.index, _INDEX(2))
            dx, dy = (
                _spread(builder, builder.load(builder.gep(offset, [builder.add(first, _INDEX(i))])))
                for i in range(2)
            )
            x, y, z = (
                fma(builder, planes[k + 2], dy, fma(builder, planes[k + 1], dx, planes[k]))
                for k in (0, 3, 6)
            )
            z = _larger(builder, z, ir.Constant(_FLOATS, [_SMALLEST] * VECTOR))
            inverse = builder.fdiv(ir.Constant(_FLOATS, [1.0] * VECTOR), z)
            zero = ir.Constant(_FLOATS, [0.0] * VECTOR)
            x, y = (
                _smaller(builder, _larger(builder, builder.fmul(value, inverse), zero), most)
                for value, most in ((x, right), (y, bottom))
            )
            column, row = (builder.fptosi(value, _WORDS) for value in (x, y))
            word = builder.add(builder.mul(row, stride), column)
            _store(builder, place, builder.mul(loop.index, _INDEX(LANES)), word)
            target = builder.mul(loop.index, _INDEX(2 * LANES))
            left = builder.fsub(x, builder.sitofp(column, _FLOATS))
            _store(builder, fraction, target, left)
            above = builder.fsub(y, builder.sitofp(row, _FLOATS))
            _store(builder, fraction, builder.add(target, _INDEX(LANES)), above)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def sum_taps(
    typing, found, found_0, fractions, fractions_0, weights, weights_0, centred, centred_0, mean,
    mean_0, taps, sums, sums_0,
):  # fmt: skip
    """Interpolate the taps of windows, and sum them up for their correlation.

    ``found[taps, LANES, 2]`` holds the words that were read, in halves, each with the grey of two
    pixels side by side; ``sums[3, LANES]`` become the weighted sums of the grey less ``mean``, of
    its square, and of its product with the reference.
    """
    index = types.int64
    signature = types.void(
        found, index, fractions, index, weights, index, centred, index, mean, index, index,
        sums, index,
    )  # fmt: skip

    def generate(context, builder, signature, arguments):
        found, fraction, weight, own, mean, total = (
            pointer(context, builder, signature, arguments, i) for i in (0, 2, 4, 6, 8, 11)
        )
        average = _load(builder, mean, _INDEX(0), _FLOATS)
        sums = [cgutils.alloca_once(builder, _FLOATS) for _ in range(3)]
        for one in sums:
            builder.store(ir.Constant(_FLOATS, [0.0] * VECTOR), one)
        with cgutils.for_range(builder, arguments[10], intp=_INDEX) as loop:
            row = builder.mul(loop.index, _INDEX(LANES))
            pair = builder.mul(loop.index, _INDEX(2 * LANES))
            words = _load(builder, found, pair, _PAIRS)
            fx = _load(builder, fraction, pair, _FLOATS)
            upper, lower = (
                _between(builder, *_halves(builder, _every_other(builder, words, i)), fx)
                for i in range(2)
            )
            fy = _load(builder, fraction, builder.add(pair, _INDEX(LANES)), _FLOATS)
            value = _between(builder, upper, lower, fy)
            unit = ir.Constant(_FLOATS, [1 / 65535] * VECTOR)
            value = fma(builder, value, unit, builder.fneg(average))
            share = _load(builder, weight, row, _FLOATS)
            _add(builder, sums[0], share, value)
            _add(builder, sums[1], builder.fmul(share, value), value)
            _add(builder, sums[2], _load(builder, own, row, _FLOATS), value)
        for i, one in enumerate(sums):
            _store(builder, total, _INDEX(i * LANES), builder.load(one))
        return context.get_dummy_value()

    return signature, generate


def _load(builder, pointer, at, kind):
    place = builder.bitcast(builder.gep(pointer, [at]), kind.as_pointer())
    return builder.load(place, align=4)


def _store(builder, pointer, at, value):
    place = builder.bitcast(builder.gep(pointer, [at]), value.type.as_pointer())
    builder.store(value, place, align=4)


def _spread(builder, scalar):
    undefined = ir.Constant(ir.VectorType(scalar.type, VECTOR), ir.Undefined)
    first = builder.insert_element(undefined, scalar, _WORD(0))
    zeros = ir.Constant(_WORDS, [0] * VECTOR)
    return builder.shuffle_vector(first, undefined, zeros)


def _larger(builder, a, b):
    """b also where a is not a number."""
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


def _smaller(builder, a, b):
    return builder.select(builder.fcmp_ordered("<", a, b), a, b)


def _every_other(builder, pairs, first):
    lanes = ir.Constant(_WORDS, list(range(first, 2 * VECTOR, 2)))
    return builder.shuffle_vector(pairs, ir.Constant(_PAIRS, ir.Undefined), lanes)


def _halves(builder, words):
    """The low and the high 16 bits of words, as floats."""
    low = builder.and_(words, ir.Constant(_WORDS, [65535] * VECTOR))
    high = builder.lshr(words, ir.Constant(_WORDS, [16] * VECTOR))
    return builder.sitofp(low, _FLOATS), builder.sitofp(high, _FLOATS)


def _between(builder, a, b, fraction):
    return fma(builder, fraction, builder.fsub(b, a), a)


def _add(builder, total, a, b):
    builder.store(fma(builder, a, b, builder.load(total)), total)
