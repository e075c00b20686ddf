"""The products of the default networks: on the operators' kernels, and as torch makes them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.timing import Case, interleaved
from neus.cli import run
from neus.devices import DEVICES, device_name, leased_device
from neus.files import written_whole
from neus.ops.cuda import precision, products
from neus.ops.cuda.activation import softplus_with_slope

SHARPNESS = 100.0
DISTANCE, COLOUR = [(64, 35), (13, 64)], [(64, 35), (64, 64), (3, 64)]
"""Outputs and inputs of the layers of either network."""

Product = Callable[[], Tensor]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--samples", type=int, default=1 << 18)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--output", type=Path, required=True, help="JSON")
    options = parser.parse_args(argv)
    with leased_device(options.device) as device:
        result: dict[str, Any] = {"device": device_name(device), "samples": options.samples}
        if device.type == "cuda":
            pairs = pairs_of(options.samples, device)
            result["products"] = compared(pairs, options.rounds, device)
        else:
            result["left_out"] = "the kernels need a GPU"
    with written_whole(options.output) as partial:
        partial.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))
    return 0


def pairs_of(samples: int, device: torch.device) -> dict[str, tuple[Product, Product]]:
    """Each product twice: the kernel's first, then torch's, with what follows it in either."""
    pairs: dict[str, tuple[Product, Product]] = {}
    networks = {precision.DOT: DISTANCE, precision.ROUNDED: COLOUR}
    for rounding, layers in networks.items():
        for rows, inner in layers:
            weight, bias = torch.randn(rows, inner, device=device), torch.randn(rows, device=device)
            x, bar = (torch.randn(c, samples, device=device) for c in (inner, rows))
            of_layer = _pairs_of_layer(weight, bias, x, bar, rounding).items()
            pairs |= {f"{name}, {rows} x {inner}, {rounding}": pair for name, pair in of_layer}
    return pairs


def _pairs_of_layer(
    weight: Tensor, bias: Tensor, x: Tensor, bar: Tensor, rounding: str
) -> dict[str, tuple[Product, Product]]:
    def by_torch(product: Product) -> Product:
        def run() -> Tensor:
            with precision.matmuls(rounding):
                return product()

        return run

    def biased() -> Tensor:
        return torch.addmm(bias[:, None], weight, x)

    pairs: dict[str, tuple[Product, Product]] = {
        "forward": (lambda: products.layer(weight, bias, x, rounding), by_torch(biased)),
        "backward": (
            lambda: products.layer(weight.T, None, bar, rounding),
            by_torch(lambda: weight.T @ bar),
        ),
        "weights": (
            lambda: products.outer(bar, x, rounding)[0],
            by_torch(lambda: (bar @ x.T, bar.sum(dim=1))[0]),
        ),
    }
    if rounding == precision.DOT:
        pairs["softplus"] = (
            lambda: products.softplus_layer(weight, bias, x, SHARPNESS)[0],
            by_torch(lambda: softplus_with_slope(biased(), SHARPNESS)[0]),
        )
    else:
        pairs["relu"] = (
            lambda: products.relu_layer(weight, bias, x, rounding),
            by_torch(lambda: biased().relu_()),
        )
    return pairs


def compared(
    pairs: dict[str, tuple[Product, Product]], rounds: int, device: torch.device
) -> dict[str, dict[str, float]]:
    """Medians of both, and by how much the kernel's differs, relative to torch's norm."""
    sides = ("kernel", "torch")
    cases = {
        f"{side}: {name}": Case(lambda _, product=product: product())
        for name, pair in pairs.items()
        for side, product in zip(sides, pair, strict=True)
    }
    timings = interleaved(cases, rounds, device)
    found = {}
    for name, (kernel, torchs) in pairs.items():
        ours, theirs = kernel().double(), torchs().double()
        milliseconds = {f"{side}_ms": timings[f"{side}: {name}"].median_ms for side in sides}
        found[name] = milliseconds | {"differs": float((ours - theirs).norm() / theirs.norm())}
    return found


if __name__ == "__main__":
    run(main)
