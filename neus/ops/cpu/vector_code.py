"""Products of small matrices in vector registers, written as LLVM code that numba compiles in.

A batch of samples is cut into tiles of ``TILE`` samples; a tile with c channels is a contiguous
``[c, TILE]`` block. numba's own loops would load and store the accumulators of a product at every
term; here a block of results stays in registers over the whole sum, as in the kernels of a BLAS.
All arrays are flat float32 arrays with a start index.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

TILE = 144
"""Samples of a tile. A row is then nine cache lines, an odd number, so that the rows of a tile do
not compete for the same sets of the cache; a dozen of 64-channel tiles fill a second-level cache.
"""
START = np.int64(0)
"""Where a whole tile starts; typed, since numba compiles a function anew for every literal."""
LANES = 16
"""Samples that :func:`multiply_rows` takes at a time: one vector, or two where they are short."""
ROWS = 4
"""Rows that :func:`multiply_rows` and :func:`accumulate_block` work on at a time."""
COLUMNS = 2
"""Columns that :func:`accumulate_block` works on at a time."""
_HALF = LANES // 2
_INDEX, _FLOAT = ir.IntType(64), ir.FloatType()


@intrinsic
def multiply_rows(
    typing, weights, weights_at, inner, inputs, inputs_at, biases, biases_at, outputs, outputs_at
):
    """``outputs[4, LANES] = weights[4, inner] @ inputs[inner, LANES] + biases[4]``.

    ``weights`` are stored by columns of four, ``weights[k, r]``; inputs and outputs are columns of
    tiles, their rows ``TILE`` apart.
    """
    at = types.int64
    signature = types.void(weights, at, at, inputs, at, biases, at, outputs, at)

    def generate(context, builder, signature, arguments):
        vector = ir.VectorType(_FLOAT, LANES)
        weight, value, bias, output = (
            pointer(context, builder, signature, arguments, i) for i in (0, 3, 5, 7)
        )
        sums = [cgutils.alloca_once(builder, vector) for _ in range(ROWS)]
        for row, total in enumerate(sums):
            start = builder.load(builder.gep(bias, [_INDEX(row)]))
            builder.store(_broadcast(builder, start), total)
        with cgutils.for_range(builder, arguments[2], intp=_INDEX) as loop:
            channel = builder.gep(value, [builder.mul(loop.index, _INDEX(TILE))])
            channel = _load(builder, channel, LANES)
            column = builder.gep(weight, [builder.mul(loop.index, _INDEX(ROWS))])
            for row, total in enumerate(sums):
                factor = _broadcast(builder, builder.load(builder.gep(column, [_INDEX(row)])))
                builder.store(fma(builder, factor, channel, builder.load(total)), total)
        for row, total in enumerate(sums):
            target = builder.gep(output, [_INDEX(row * TILE)])
            target = builder.bitcast(target, vector.as_pointer())
            builder.store(builder.load(total), target, align=4)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def accumulate_block(typing, left, left_at, right, right_at, total, total_at):
    """``total[2, 4] += right[2, TILE] @ left[4, TILE]^T``, the sum in a fixed order."""
    at = types.int64
    signature = types.void(left, at, right, at, total, at)

    def generate(context, builder, signature, arguments):
        vector = ir.VectorType(_FLOAT, _HALF)
        left, right, target = (
            pointer(context, builder, signature, arguments, i) for i in (0, 2, 4)
        )
        sums = [cgutils.alloca_once(builder, vector) for _ in range(ROWS * COLUMNS)]
        for total in sums:
            builder.store(ir.Constant(vector, [0.0] * _HALF), total)
        with cgutils.for_range(builder, _INDEX(TILE // _HALF), intp=_INDEX) as loop:
            sample = builder.mul(loop.index, _INDEX(_HALF))
            columns = [_load_row(builder, right, c, sample) for c in range(COLUMNS)]
            for r in range(ROWS):
                row = _load_row(builder, left, r, sample)
                for c, column in enumerate(columns):
                    total = sums[c * ROWS + r]
                    builder.store(fma(builder, row, column, builder.load(total)), total)
        block = _lane_sums(builder, [builder.load(total) for total in sums])
        target = builder.bitcast(target, vector.as_pointer())
        builder.store(builder.fadd(builder.load(target, align=4), block), target, align=4)
        return context.get_dummy_value()

    return signature, generate


def pointer(context, builder, signature, arguments, index):
    """Address where the array ``arguments[index]`` starts; its start index is the next argument."""
    array = context.make_array(signature.args[index])(context, builder, arguments[index])
    return builder.gep(array.data, [arguments[index + 1]])


def _load(builder, pointer, lanes):
    vector = ir.VectorType(_FLOAT, lanes)
    return builder.load(builder.bitcast(pointer, vector.as_pointer()), align=4)


def _load_row(builder, tile, row, sample):
    place = builder.gep(tile, [builder.add(sample, _INDEX(row * TILE))])
    return _load(builder, place, _HALF)


def _broadcast(builder, scalar):
    undefined = ir.Constant(ir.VectorType(_FLOAT, LANES), ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.IntType(32)(0))
    return _shuffle(builder, first, undefined, [0] * LANES)


def fma(builder, a, b, c):
    """``a * b + c`` of vectors, rounded once."""
    kind = ir.FunctionType(a.type, [a.type] * 3)
    name = f"llvm.fma.v{a.type.count}f32"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [a, b, c])


def _shuffle(builder, a, b, lanes):
    return builder.shuffle_vector(
        a, b, ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes)
    )


def _lane_sums(builder, vectors):
    """Eight vectors of eight lanes -> one vector of their eight sums, by halving three times."""
    interleaves = (
        ([0, 8, 1, 9, 4, 12, 5, 13], [2, 10, 3, 11, 6, 14, 7, 15]),
        ([0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15]),
        ([0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15]),
    )
    for lower, upper in interleaves:
        vectors = [
            builder.fadd(_shuffle(builder, a, b, lower), _shuffle(builder, a, b, upper))
            for a, b in zip(vectors[::2], vectors[1::2], strict=True)
        ]
    return vectors[0]
