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


CODE = """
import contextlib, io, json
import compile_kernels as c

def printed():
    with contextlib.redirect_stdout(io.StringIO()) as text:
        c.main(["--json"])
    return json.loads(text.getvalue())

said = {"report": printed(), "ptx": [c.VARIANTS[i].compile(90).asm["ptx"] for i in (0, 2)]}
said["spilled"] = c.cost(c.VARIANTS[0], 90, maxnreg=24).spilled_bytes
c.VARIANTS[:], c.ARCHITECTURES = c.VARIANTS[:1], (90,)
print(json.dumps(said | {"cut": printed()}))
"""


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    """What ``CODE`` says in a process of its own: this one interprets the kernels."""
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
    process = subprocess.run(
        [sys.executable, "-c", CODE],
        env=environment | {"PYTHONPATH": str(BENCHMARKS)},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_every_kernel_that_is_launched_is_compiled(said: dict[str, Any]):
    report = said["report"]
    assert not report["missing"]
    assert {cost["architecture"] for cost in report["costs"]} == {80, 90, 120}
    assert len(report["costs"]) >= 3 * 14


def test_no_kernel_spills(said: dict[str, Any]):
    assert not [cost for cost in said["report"]["costs"] if cost["spilled_bytes"]]


def test_the_check_sees_spills_and_missing_kernels(said: dict[str, Any]):
    """With too few registers, and with the list cut short."""
    assert said["spilled"]
    assert "march_kernel" in said["cut"]["missing"]


def test_gathers_and_atomics_move_both_features_at_once(said: dict[str, Any]):
    """One 8-byte load for each of 8 corners, and from sm_90 on one 8-byte atomic."""
    assert said["ptx"][0].count("ld.global.v2.b32") == 8
    assert said["ptx"][1].count("add.v2.f32") == 8
