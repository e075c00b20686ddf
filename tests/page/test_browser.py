"""The page in a real browser: `make test-page`. Skips without Chromium or playwright."""

from __future__ import annotations

import io
import os
import shutil
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from neus.page import write_page
from tests.helpers.large_page import METHODS, write_benchmark, write_sculpture

playwright = pytest.importorskip("playwright.sync_api", reason="pip install 'neus[browser]'")
pytestmark = pytest.mark.browser
CHROMIUM = os.environ.get("NEUS_CHROMIUM") or shutil.which("chromium") or shutil.which("chrome")
MOST_SECONDS, MOST_BYTES = 3.0, 150e6


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("browser") / "results"
    write_sculpture(root, "sculpture")
    lost = root / "barn" / "logs"
    lost.mkdir(parents=True)
    (lost / "estimate_poses.log").write_text("error: 3 photos overlap: take more\n")
    shutil.rmtree(root / "demo")
    write_page(root)
    return root


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install chromium, or name one in NEUS_CHROMIUM")
    with playwright.sync_playwright() as driver:
        words = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=words)
        yield opened
        opened.close()


class Watched:
    """A tab, with what it says and asks for."""

    def __init__(self, browser: Any, page: Path, **options: Any) -> None:
        self.tab = browser.new_page(**({"viewport": {"width": 1280, "height": 900}} | options))
        self.said: list[str] = []
        self.asked: list[str] = []
        self.tab.on("console", lambda message: self.said.append(message.text))
        self.tab.on("pageerror", lambda error: self.said.append(str(error)))
        self.tab.on("request", lambda request: self.asked.append(request.url))
        began = time.perf_counter()
        self.tab.goto(page.resolve().as_uri())
        self.seconds = time.perf_counter() - began

    def open_scan(self, name: str) -> None:
        self.tab.locator("details.scan", has_text=name).first.locator("summary").first.click()

    def drawn(self) -> np.ndarray:
        """The middle of the canvas, without words and the ring of the focus, once it is drawn."""
        self.tab.wait_for_timeout(400)
        shot = self.tab.locator("canvas").first.screenshot()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))[50:-50, 10:-10].astype(int)


@pytest.fixture
def seen(browser: Any, results: Path) -> Iterator[Watched]:
    watched = Watched(browser, results / "index.html")
    yield watched
    watched.tab.close()
    outside = [url for url in watched.asked if not url.startswith(("file:", "data:", "blob:"))]
    assert outside == []
    assert watched.said == []


def test_surfaces_are_drawn_and_turn(seen: Watched) -> None:
    assert seen.seconds < MOST_SECONDS
    seen.open_scan("sculpture")
    seen.tab.wait_for_selector("canvas")
    first = seen.drawn()
    paper = first[5, 5]
    covered = (np.abs(first - paper).sum(axis=2) > 30).mean()
    assert covered > 0.08
    box = seen.tab.locator("canvas").first.bounding_box()
    middle = box["x"] + box["width"] / 4, box["y"] + box["height"] / 2
    seen.tab.mouse.move(*middle)
    seen.tab.mouse.down()
    seen.tab.mouse.move(middle[0] + 120, middle[1], steps=4)
    seen.tab.mouse.up()
    turned = seen.drawn()
    assert (np.abs(turned - first).sum(axis=2) > 30).mean() > 0.03
    seen.tab.locator("canvas").first.focus()
    seen.tab.keyboard.press("0")
    assert np.abs(seen.drawn() - first).mean() < 1
    seen.tab.keyboard.press("ArrowLeft")
    assert (np.abs(seen.drawn() - first).sum(axis=2) > 30).mean() > 0.01


def test_every_way_of_showing_a_surface_is_another(seen: Watched) -> None:
    seen.open_scan("sculpture")
    seen.tab.wait_for_selector("canvas")
    pictures = [seen.drawn()]
    photo = seen.tab.get_by_role("button", name="Photo", exact=True).first
    assert photo.get_attribute("aria-pressed") == "true", "the texture of mesh.glb comes first"
    for name in ("Shape", "Normals", "Error"):
        seen.tab.get_by_role("button", name=name, exact=True).first.click()
        pictures.append(seen.drawn())
        if name == "Error":
            assert seen.tab.get_by_text("2 mm or more").is_visible()
    seen.tab.get_by_label("Reference beside it").uncheck()
    pictures.append(seen.drawn())
    for name in ("Cameras", "Sphere"):
        seen.tab.get_by_label(name).check()
        pictures.append(seen.drawn())
    for before, after in pairwise(pictures):
        assert (np.abs(after - before).sum(axis=2) > 20).mean() > 0.003


def test_the_slider_moves_between_photo_and_rendering(seen: Watched) -> None:
    seen.open_scan("sculpture")
    slider = seen.tab.get_by_label("Where the photo ends")
    slider.focus()
    before = slider.input_value()
    for _ in range(8):
        seen.tab.keyboard.press("ArrowRight")
    assert float(slider.input_value()) == float(before) + 4
    clip = "e => getComputedStyle(e.parentElement.querySelectorAll('img')[1]).clipPath"
    assert slider.evaluate(clip) == "inset(0px 0px 0px 54%)"
    seen.tab.get_by_role("button", name="Difference").click()
    assert seen.tab.get_by_text("a quarter of the range").is_visible()
    seen.tab.locator(".strip button").nth(1).click()
    assert "PSNR 29.00 dB" in seen.tab.locator(".split .notes").first.inner_text()


def test_what_failed_says_why(seen: Watched) -> None:
    seen.open_scan("barn")
    assert seen.tab.locator("details[open] .failure").is_visible()
    assert "3 photos overlap" in seen.tab.locator("a.card.failed").inner_text()


def test_phones_scroll_one_way_alone(browser: Any, results: Path) -> None:
    watched = Watched(browser, results / "index.html", viewport={"width": 360, "height": 740})
    watched.open_scan("sculpture")
    watched.tab.wait_for_selector("canvas")
    widths = watched.tab.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]
    watched.tab.close()
    assert watched.said == []


def test_one_file_needs_no_other(browser: Any, results: Path, tmp_path: Path) -> None:
    page = write_page(results, single=True, output=tmp_path / "alone.html")
    watched = Watched(browser, page)
    watched.open_scan("sculpture")
    watched.tab.wait_for_selector("canvas")
    watched.tab.close()
    assert [url for url in watched.asked if url.startswith("file:")] == [page.as_uri()]
    assert watched.said == []


def test_a_part_that_was_left_behind_is_named(browser: Any, results: Path, tmp_path: Path) -> None:
    page = shutil.copy(results / "index.html", tmp_path)
    watched = Watched(browser, Path(page))
    watched.open_scan("sculpture")
    failure = watched.tab.locator("details[open] .failure").first
    failure.wait_for()
    assert "copy the folder page along" in failure.inner_text()
    watched.tab.close()


def test_fifteen_scans_of_three_methods_are_light_and_fast(
    browser: Any, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = write_benchmark(results, "sculpture", tmp_path / "many", 15)
    files = [page, *(page.parent / "page").rglob("*.js")]
    assert len(files) == 1 + 15 * (1 + len(METHODS))
    size = sum(file.stat().st_size for file in files)
    watched = Watched(browser, page)
    with capsys.disabled():
        print(f"\n15 scans x 3 methods: {size / 1e6:.0f} MB, open in {watched.seconds:.2f} s")
    assert size < MOST_BYTES
    assert watched.seconds < MOST_SECONDS
    order = "[...document.querySelectorAll('tbody')[0].rows].map(r => r.cells[0].textContent)"
    watched.tab.get_by_role("button", name="Scan", exact=True).click()
    assert watched.tab.evaluate(order)[::3] == [f"scan{i}" for i in range(15)]
    watched.tab.get_by_role("button", name="Scan", exact=True).click()
    assert watched.tab.evaluate(order)[::3] == [f"scan{i}" for i in range(14, -1, -1)]
    began = time.perf_counter()
    watched.tab.locator("details.scan summary").nth(14).click()
    watched.tab.wait_for_selector("canvas")
    assert time.perf_counter() - began < 2 * MOST_SECONDS
    watched.tab.get_by_role("button", name=METHODS[1], exact=True).click()
    watched.tab.wait_for_selector("canvas")
    watched.tab.close()
    assert watched.said == []
