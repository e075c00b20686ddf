"""Compile every Triton kernel for three GPU architectures, without a GPU, and list what it takes.

    python benchmarks/compile_kernels.py --output benchmarks/results/DATE-triton-compile.md

Registers, spills and shared memory are those of the machine code, as ptxas from Triton's wheel
reports them. Kernels are compiled with the block sizes, warps and options of their launches. A
kernel that spills, or that is launched but not listed here, ends the program with status 1.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

os.environ.pop("TRITON_INTERPRET", None)  # interpreted kernels cannot be compiled

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.backends.nvidia.compiler import get_ptxas
from triton.compiler import ASTSource

from neus.cli import run
from neus.files import written_whole
from neus.ops.cuda import (
    activation,
    adam,
    compositing,
    grid,
    grid_kernels,
    map_kernels,
    maps,
    march,
    outside,
    patch_kernels,
    patches,
    precision,
    product_kernels,
    products,
    sections,
    stereo,
    stereo_kernels,
)
from neus.ops.cuda import field as sdf_field
from neus.ops.reference import ADAM_DECAY, ADAM_EPSILON

ARCHITECTURES = (80, 90, 120)

# Pointers are to float32 and scalars int32, but for these.
TYPES = {
    "shapes": "*i32", "counts": "*i32", "offsets": "*i64", "ray_index": "*i64",
    "occupancy": "*u8", "lit": "*u8", "sharpness": "fp32",
    "active": "*u8", "inside": "*u8", "sizes": "*i32", "regions": "*i32",
    "pixels": "*i16", "firsts": "*i64", "views": "*i64", "valid": "*u8", "free": "*u8",
    "seen": "*u8", "sure": "*u8", "taken": "*u8", "colours": "*u8", "near": "*i32",
    "agree": "*i32", "violate": "*i32", "nearest": "*i32", "hidden": "*i32", "chosen": "*i32",
    "listed": "*i32", "tolerance": "fp32",
}  # fmt: skip
INTEGER = re.compile(
    r"count|\w+_count|channels|resolution|active_levels|.*_(point|channel|sample|axis|row|inner)"
)


@dataclass(frozen=True)
class Variant:
    """A kernel as one of its launches compiles it.

    ``unit`` names strides that are 1 there: Triton compiles those in, and may then load several
    elements at once.
    """

    kernel: triton.JITFunction
    constants: Mapping[str, object]
    unit: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.kernel.__name__

    def compile(self, architecture: int, **extra: object) -> triton.compiler.CompiledKernel:
        names = self.kernel.arg_names
        options = {k: v for k, v in self.constants.items() if k not in names}
        constants = {k: v for k, v in self.constants.items() if k in names}
        constants |= dict.fromkeys(self.unit, 1)
        signature = {
            name: "constexpr"
            if name in constants
            else TYPES.get(name, "i32" if INTEGER.fullmatch(name) else "*fp32")
            for name in names
        }
        aligned = [i for i, name in enumerate(names) if signature[name].startswith("*")]
        source = ASTSource(
            self.kernel,
            signature,
            {(names.index(name),): value for name, value in constants.items()},
            {(i,): [["tt.divisibility", 16]] for i in aligned},
        )
        return triton.compile(source, GPUTarget("cuda", architecture, 32), options | extra)


GATHER, WARP, COLOURS = grid.GATHER, compositing.WARP, {"CHANNELS": 3, "PADDED": 4}
DECAYS = {"FIRST_DECAY": ADAM_DECAY[0], "SECOND_DECAY": ADAM_DECAY[1], "EPSILON": ADAM_EPSILON}
NETWORK = {
    "LEVELS": sdf_field.LEVELS,
    "WIDTH": sdf_field.WIDTH,
    "PRECISION": precision.DOT,
    **sdf_field.TILE,
}
LAYER = {"ROWS": 64, "INNER": 64, **products.TILE}
LAYERS = [
    {"BIASED": True, "AFTER": product_kernels.PLAIN, "PRECISION": precision.ROUNDED},
    {"BIASED": True, "AFTER": product_kernels.RELU, "PRECISION": precision.ROUNDED},
    {"BIASED": False, "AFTER": product_kernels.GATED, "PRECISION": precision.ROUNDED},
    {"BIASED": True, "AFTER": product_kernels.SOFTPLUS, "PRECISION": precision.DOT},
]
KINDS = ("AFTER", "PRECISION")
"""Constants that tell variants of a kernel apart, beside those that are true or not."""
SUM = {"ROWS": 64, "COLUMNS": 64, **products.SUM}
VARIANTS = [
    Variant(grid_kernels.encode_kernel, {"JACOBIAN": True, **GATHER}, ("x_point",)),
    Variant(grid_kernels.encode_kernel, {"JACOBIAN": False, **GATHER}, ("x_point",)),
    Variant(grid_kernels.scatter_kernel, GATHER, ("x_point", "dy_point", "gy_point", "v_point")),
    Variant(grid_kernels.jacobian_times_kernel, grid.STREAM, ("v_point",)),
    Variant(grid_kernels.times_jacobian_kernel, grid.STREAM, ("gy_point",)),
    Variant(activation.softplus_kernel, activation.STREAM, ("z_point",)),
    Variant(
        activation.softplus_backward_kernel,
        activation.STREAM,
        ("slope_point", "value_point", "sensitivity_point", "sloped_point"),
    ),
    Variant(adam.adam_kernel, {**DECAYS, **adam.STREAM}),
    Variant(march.march_kernel, {"WRITE": False, **march.WARP}),
    Variant(march.march_kernel, {"WRITE": True, **march.WARP}),
    Variant(outside.march_outside_kernel, {"WRITE": False, **march.WARP}),
    Variant(outside.march_outside_kernel, {"WRITE": True, **march.WARP}),
    Variant(compositing.composite_kernel, {**COLOURS, **WARP}, ("value_channel",)),
    Variant(
        compositing.composite_backward_kernel,
        {**COLOURS, **WARP},
        ("value_channel", "bar_channel"),
    ),
    Variant(sections.section_kernel, sections.STREAM, ("g_sample",)),
    Variant(sections.section_backward_kernel, sections.STREAM, ("g_sample", "bar_sample")),
    Variant(sdf_field.sdf_distance_kernel, NETWORK),
    *(Variant(product_kernels.product_kernel, {**LAYER, **kind}) for kind in LAYERS),
    Variant(product_kernels.outer_kernel, {**SUM, "PRECISION": precision.DOT}),
    Variant(product_kernels.outer_kernel, {**SUM, "PRECISION": precision.ROUNDED}),
    Variant(stereo_kernels.sweep_kernel, {"START": True, "COUNTED": 3, **stereo.TILE}),
    Variant(stereo_kernels.sweep_kernel, {"START": False, "COUNTED": 3, **stereo.TILE}),
    Variant(map_kernels.compare_kernel, maps.TILE),
    Variant(map_kernels.show_kernel, maps.TILE),
    Variant(map_kernels.hide_kernel, maps.TILE),
    Variant(map_kernels.gather_kernel, maps.TILE),
    Variant(patch_kernels.patch_costs_kernel, patches.TILE),
    Variant(patch_kernels.in_sight_kernel, patches.TILE),
]


@dataclass(frozen=True)
class Cost:
    """What a kernel takes of a multiprocessor, per thread and per block."""

    kernel: str
    flags: str
    architecture: int
    registers: int
    spilled_bytes: int
    shared_bytes: int


def cost(variant: Variant, architecture: int, **extra: object) -> Cost:
    """Compile, and assemble once more for what ptxas has to say about it.

    Triton counts spills only when it loads a kernel on a GPU.
    """
    compiled = variant.compile(architecture, **extra)
    suffix = "a" if architecture >= 90 else ""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "kernel.ptx")
        source.write_text(compiled.asm["ptx"])
        report = subprocess.run(
            [
                get_ptxas(architecture).path,
                *("-v", "--regAllocOptLevel=2", f"--gpu-name=sm_{architecture}{suffix}"),
                *(str(source), "-o", str(Path(folder, "kernel.cubin"))),
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stderr
    spilled = re.findall(r"(\d+) bytes spill (?:stores|loads)", report)
    (registers,) = re.findall(r"Used (\d+) registers", report)
    flags = [name for name, value in variant.constants.items() if value is True]
    flags += [f"{name}={variant.constants[name]}" for name in KINDS if name in variant.constants]
    return Cost(
        variant.name,
        " ".join(flags),
        architecture,
        int(registers),
        sum(map(int, spilled)),
        compiled.metadata.shared,
    )


def launched_kernels() -> set[str]:
    """Names of all kernels that the package launches: whatever is followed by ``[...](``."""
    sources = (path.read_text() for path in Path(grid.__file__).parent.glob("*.py"))
    return {name for text in sources for name in re.findall(r"(\w+_kernel)\[", text)}


def markdown(costs: list[Cost]) -> str:
    """One row a kernel, with registers / bytes spilled / bytes of shared memory."""
    rows = {(cost.kernel, cost.flags): {} for cost in costs}
    for cost in costs:
        rows[cost.kernel, cost.flags][cost.architecture] = (
            f"{cost.registers} / {cost.spilled_bytes} / {cost.shared_bytes}"
        )
    architectures = sorted({cost.architecture for cost in costs})
    lines = [
        "| kernel | " + " | ".join(f"sm_{a}" for a in architectures) + " |",
        "|---|" + "---|" * len(architectures),
    ]
    for (kernel, flags), cells in rows.items():
        name = f"`{kernel}` {flags}".strip()
        lines.append(f"| {name} | " + " | ".join(cells[a] for a in architectures) + " |")
    return "\n".join(lines)


def document(costs: list[Cost]) -> str:
    versions = f"triton {triton.__version__}, torch {torch.__version__}"
    return f"""# Triton kernels, compiled without a GPU

Date {date.today()}, {versions}, Python {platform.python_version()}.
`python benchmarks/compile_kernels.py`

Registers a thread / bytes spilled / bytes of shared memory a block:

{markdown(costs)}
"""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--output", type=Path, help="write the table to this file, too")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(argv)
    missing = launched_kernels() - {variant.name for variant in VARIANTS}
    costs = [cost(variant, a) for variant in VARIANTS for a in ARCHITECTURES]
    if options.json:
        print(json.dumps({"missing": sorted(missing), "costs": [asdict(c) for c in costs]}))
    else:
        print(document(costs))
    if options.output:
        with written_whole(options.output) as partial:
            partial.write_text(document(costs))
    for name in sorted(missing):
        print(f"{name} is launched, but not listed in VARIANTS", file=sys.stderr)
    spilling = [c for c in costs if c.spilled_bytes]
    for c in spilling:
        print(f"{c.kernel} spills {c.spilled_bytes} bytes on sm_{c.architecture}", file=sys.stderr)
    return 1 if missing or spilling else 0


if __name__ == "__main__":
    run(main)
