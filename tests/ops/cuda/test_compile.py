"""Every Triton kernel compiles for three architectures, without a GPU, and spills no register."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.helpers.places import ROOT

pytest.importorskip("triton")

BENCHMARKS = ROOT / "benchmarks"


def compiled(code: str) -> Any:
    """What ``code`` prints as JSON, in a process of its own: this one interprets the kernels."""
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
    process = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | {"PYTHONPATH": str(BENCHMARKS)},
        capture_output=True,
        text=True,
    )
    assert process.stdout, process.stderr
    return json.loads(process.stdout)


@pytest.fixture(scope="module")
def report() -> dict:
    return compiled("import compile_kernels; compile_kernels.main(['--json'])")


def test_every_kernel_that_is_launched_is_compiled(report: dict):
    assert not report["missing"]
    assert {cost["architecture"] for cost in report["costs"]} == {80, 90, 120}
    assert len(report["costs"]) >= 3 * 14


def test_no_kernel_spills(report: dict):
    assert not [cost for cost in report["costs"] if cost["spilled_bytes"]]


def test_the_check_sees_spills_and_missing_kernels():
    """With too few registers, and with the list cut short."""
    assert compiled(
        "import compile_kernels as c; import json;"
        "print(json.dumps(c.cost(c.VARIANTS[0], 90, maxnreg=24).spilled_bytes))"
    )
    cut = compiled(
        "import compile_kernels as c; c.VARIANTS[:] = c.VARIANTS[:1]; c.ARCHITECTURES = (90,);"
        "c.main(['--json'])"
    )
    assert "march_kernel" in cut["missing"]


def test_gathers_and_atomics_move_both_features_at_once():
    """One 8-byte load for each of 8 corners, and from sm_90 on one 8-byte atomic."""
    ptx = compiled(
        "import compile_kernels as c, json;"
        "print(json.dumps([c.VARIANTS[i].compile(90).asm['ptx'] for i in (0, 2)]))"
    )
    assert ptx[0].count("ld.global.v2.b32") == 8
    assert ptx[1].count("add.v2.f32") == 8
