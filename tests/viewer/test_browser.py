"""The live view in a real browser: `make test-page`. Skips where what it needs is missing."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from neus.models import save_model
from tests.helpers.places import ROOT
from tests.helpers.small_scenes import small_scene
from tests.helpers.trainings import folder, new_trainer, small_method

playwright = pytest.importorskip("playwright.sync_api", reason="pip install 'neus[browser]'")
pytest.importorskip("viser", reason="pip install 'neus[live]'")
pytestmark = pytest.mark.browser
CHROMIUM = os.environ.get("NEUS_CHROMIUM") or shutil.which("chromium") or shutil.which("chrome")
METHOD = small_method(200)
NEUS = "from neus.commands import main; raise SystemExit(main())"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run in the middle of its training: a scene, and a checkpoint of a ball."""
    small_scene(tmp_path / "results" / "ball" / "scene")
    run = tmp_path / "results" / "ball" / "neus" / "seed0"
    trainer = new_trainer(METHOD)
    for _ in range(120):
        trainer.train_step()
    folder(run / "run").save(120, {"trainer": trainer.state_dict()}, METHOD)
    (run / "run" / "metrics.csv").touch()
    save_model(run / "later.pt", trainer.model, METHOD, 200, 0)
    return run


@pytest.fixture
def address(run: Path) -> Iterator[str]:
    words = ["view", str(run.parents[2]), "--live", "--port", "8917"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", NEUS, *words], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.match(r"(http://127\.0\.0\.1:\d+) shows ", line)
    assert found, line
    yield found[1]
    process.terminate()
    process.wait()
    process.stdout.close()


@pytest.fixture
def tab(address: str) -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install chromium, or name one in NEUS_CHROMIUM")
    with playwright.sync_playwright() as driver:
        words = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=words)
        tab = browser.new_page(viewport={"width": 900, "height": 700})
        tab.asked = []
        tab.on("request", lambda request: tab.asked.append(request.url))
        tab.goto(address)
        yield tab
        browser.close()


def middle(tab: Any) -> np.ndarray:
    """Below the panel and the browser's own notice, where the ball is."""
    shot = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
    return np.asarray(shot, dtype=float)[260:600, 250:650]


def shown(tab: Any, name: str, earlier: Sequence[np.ndarray]) -> np.ndarray:
    """What stands there once it is another picture than the earlier ones, and drawn to its end."""
    before = None
    for _ in range(120):
        tab.wait_for_timeout(500)
        picture = middle(tab)
        is_new = all(np.abs(picture - other).mean() > 3 for other in earlier)
        is_drawn = before is not None and np.array_equal(picture, before)
        if picture.std() > 15 and is_new and is_drawn:
            return picture
        before = picture
    return pytest.fail(f"{name} is not drawn")


def choose(tab: Any, name: str) -> None:
    tab.locator(".mantine-Select-input:visible").first.click()
    tab.get_by_role("option", name=name, exact=True).click()


def test_a_running_training_is_seen_in_four_ways_and_its_end_too(run: Path, tab: Any):
    tab.get_by_text("step 120 of 200").wait_for(timeout=60_000)
    colour = shown(tab, "colour", [])
    red, blue = colour[..., 0] - colour[..., 2], colour[..., 2] - colour[..., 0]
    assert (red > 60).sum() > 1000, "the ball is red above"
    assert (blue > 60).sum() > 1000, "and blue below"
    pictures = [colour]
    for name in ("normals", "depth", "occupancy"):
        choose(tab, name)
        pictures.append(shown(tab, name, pictures))
    assert all("127.0.0.1" in url or url.startswith(("data:", "blob:")) for url in tab.asked)
    (run / "later.pt").rename(run / "model.pt")
    tab.get_by_text("trained, 200 steps").wait_for(timeout=60_000)
