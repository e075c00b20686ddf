"""Weights of a network in the form that the kernels read, and their gradients back from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neus.ops.cpu.products import pack, padded, sum_lanes, unpack_sum
from neus.ops.cpu.vector_code import TILE


@dataclass(frozen=True)
class PackedNetwork:
    """Layers W_i and their transposes as quads of rows, one after the other.

    Attributes:
        forward, backward: the quads of W_i and of W_i^T.
        starts: ``[layers]`` where each layer begins in both.
        biases: ``[sum of rows]``, padded with zeros.
        rows, columns: ``[layers]`` padded sizes.
    """

    forward: np.ndarray
    backward: np.ndarray
    starts: np.ndarray
    biases: np.ndarray
    rows: tuple[int, ...]
    columns: tuple[int, ...]

    @classmethod
    def of(cls, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> PackedNetwork:
        """Weights ``[out, in]`` and biases ``[out]``, first layer first."""
        rows = tuple(padded(weight.shape[0]) for weight in weights)
        columns = tuple(padded(weight.shape[1]) for weight in weights)
        sizes = [r * c for r, c in zip(rows, columns, strict=True)]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        forward, backward = np.empty((2, starts[-1]), np.float32)
        padded_biases = np.zeros(sum(rows), np.float32)
        first_row = 0
        for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            array = weight.detach().numpy()
            pack(array, rows[i], columns[i], forward[starts[i] :])
            pack(array.T, columns[i], rows[i], backward[starts[i] :])
            padded_biases[first_row : first_row + len(bias)] = bias.detach().numpy()
            first_row += rows[i]
        return cls(forward, backward, starts[:-1], padded_biases, rows, columns)

    def zero_totals(self, workers: int) -> tuple[np.ndarray, np.ndarray]:
        """Where each worker sums the gradients of weights and of biases."""
        weights = np.zeros((workers, len(self.forward)), np.float32)
        return weights, np.zeros((workers, len(self.biases) * TILE), np.float32)

    def gradients(
        self, weights: Sequence[Tensor], totals: tuple[np.ndarray, np.ndarray]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Gradients of weights and biases, summed over the workers in their order.

        Columns of ``weights`` past those that were packed get zeros.
        """
        weight_totals, bias_totals = totals
        weight_bars, bias_bars, first_row = [], [], 0
        for i, weight in enumerate(weights):
            weight_bar, bias_bar = torch.zeros(weight.shape), torch.empty(weight.shape[0])
            seen = weight_bar[:, : self.columns[i]]
            unpack_sum(weight_totals[:, self.starts[i] :], self.columns[i], seen.numpy())
            sum_lanes(bias_totals[:, first_row * TILE :], bias_bar.numpy())
            first_row += self.rows[i]
            weight_bars.append(weight_bar)
            bias_bars.append(bias_bar)
        return weight_bars, bias_bars
