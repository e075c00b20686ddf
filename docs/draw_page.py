"""Make the pictures of docs/ that show the page of a run, in Debian's Chromium.

    python -m docs.draw_page results    writes docs/images/page-{desktop,dark,phone}.webp

`results` is what `make demo` made, written anew by `neus page results`. Needs
`pip install -e '.[browser]'`, Chromium and the page's first font (`apt-get install chromium
fonts-inter`).
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from PIL import Image

IMAGES = Path(__file__).parent / "images"
SOFTWARE = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
"""WebGL without a GPU."""


def desktop(browser: Any, page: str) -> None:
    """From the heading to the surface of the first scan."""
    tab = opened(browser, page, 1280, 1480)
    save("page-desktop", tab)


def dark(browser: Any, page: str) -> None:
    """The errors of the first scan, in the dark."""
    tab = opened(browser, page, 1280, 860)
    tab.get_by_role("button", name="Dark").click()
    tab.get_by_role("button", name="Error", exact=True).first.click()
    tab.locator("details.scan").first.evaluate("e => scrollTo(0, e.offsetTop)")
    save("page-dark", tab)


def phone(browser: Any, page: str) -> None:
    """The table and the surface, on a phone."""
    tab = opened(browser, page, 390, 844)
    tab.get_by_role("heading", name="Figures").evaluate("e => scrollTo(0, e.offsetTop - 115)")
    save("page-phone", tab)


def opened(browser: Any, page: str, width: int, height: int) -> Any:
    """A tab of this size with the first scan unfolded."""
    tab = browser.new_page(viewport={"width": width, "height": height})
    tab.goto(page)
    scan = tab.locator("details.scan").first
    if scan.get_attribute("open") is None:
        scan.locator("summary").first.click()
    tab.wait_for_selector("canvas")
    return tab


def save(name: str, tab: Any) -> None:
    tab.wait_for_timeout(2000)  # until it is drawn, and folded out
    picture = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
    picture.save(IMAGES / f"{name}.webp", quality=82, method=6)
    tab.close()


def main(results: str) -> None:
    chromium = os.environ.get("NEUS_CHROMIUM") or shutil.which("chromium")
    page = (Path(results) / "index.html").resolve().as_uri()
    with import_module("playwright.sync_api").sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=[*SOFTWARE])
        for picture in (desktop, dark, phone):
            picture(browser, page)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
