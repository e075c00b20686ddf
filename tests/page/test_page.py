"""The page as a whole: what is on it, that it is sound HTML, and what happens where things lack."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from neus.errors import InputError
from neus.page import write_page
from neus.page.packing import points_of, unpacked
from neus.page.surface import COUNTED
from tests.helpers.shown_results import OFF, change, copy_scan, write_results
from tests.helpers.small_scenes import program

VOID = {"meta", "link", "img", "input", "br", "line", "path"}
ODD = """a"b<script>alert('x')&amp;"""


class Checker(HTMLParser):
    """Fails on tags that do not match, identifiers that come twice, and attributes given twice."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.names: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), (tag, attrs)
        self.tags.append((tag, dict(attrs)))
        self.names += [value for key, value in attrs if key == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(page: Path) -> Checker:
    checker = Checker()
    checker.feed(page.read_text())
    checker.close()
    assert checker.open == []
    assert len(set(checker.names)) == len(checker.names)
    assert all(attributes.get("alt") is not None for t, attributes in checker.tags if t == "img")
    return checker


def part(path: Path) -> dict:
    """What the script of a part hands to the page."""
    call = path.read_text().split("\n", 1)[1].strip()
    return json.loads(call[call.index(",") + 1 : call.rindex(")")])


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_results(tmp_path_factory.mktemp("shown") / "results")
    copy_scan(root, "ball", ODD.replace("/", ""))
    write_page(root)
    return root


@pytest.fixture
def own(results: Path, tmp_path: Path) -> Path:
    """A copy that a test may break."""
    shutil.copytree(results / "ball", tmp_path / "results" / "ball")
    shutil.copytree(results / "page", tmp_path / "results" / "page")
    return tmp_path / "results"


def test_the_page_is_sound_and_asks_for_nothing_from_outside(results: Path) -> None:
    checker = checked(results / "index.html")
    text = (results / "index.html").read_text()
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", text)
    assert "default-src 'none'" in text
    headings = [tag for tag, _ in checker.tags if re.fullmatch("h[1-6]", tag)]
    assert headings.count("h1") == 1
    assert not any(tag == "script" and "src" in attributes for tag, attributes in checker.tags)


def test_names_are_text_wherever_they_stand(results: Path) -> None:
    text = (results / "index.html").read_text()
    assert "<script>alert" not in text
    assert "a&quot;b&lt;script&gt;alert" in text
    assert "\\u003cscript>alert" in text  # among the data of the scripts
    scripts = [tag for tag, _ in checked(results / "index.html").tags if tag == "script"]
    assert len(scripts) == 1


def test_a_run_has_all_its_parts(results: Path) -> None:
    scan, run = (part(results / "page" / name) for name in ("ball.js", "ball/neus-mask.js"))
    assert [camera["held_out"] for camera in scan["cameras"]].count(True) == 2
    assert np.dot(scan["up"], scan["front"]) == pytest.approx(0, abs=1e-9)
    assert len(run["views"]) == 2
    assert {"photo", "rendering", "normals", "difference"} <= run["views"][0].keys()
    assert run["shown"] == pytest.approx(0.2)
    assert len(run["curves"]["step"]) <= 241
    assert run["curves"]["step"][-1] == 20 * 499
    assert "kind: neus" in run["config"]
    made = dict(run["made"])
    assert (made["Device"], made["Commit"]) == ("RTX_3090", "0123456789ab")
    assert (made["torch"], made["Budget"]) == ("2.13.0", "card")
    assert run["surface"]["textured"] is False
    errors = unpacked(run["reference"]["errors"])
    assert np.abs(errors / COUNTED - 3 * OFF / 0.2).max() < 0.01
    radius = np.linalg.norm(points_of(run["reference"]["points"]), axis=1)
    assert radius.max() < 0.7  # back in the scene frame, where the ball is


def test_parts_are_made_anew_only_when_their_sources_change(own: Path) -> None:
    shutil.rmtree(own / "page")
    write_page(own)
    parts = {path: path.stat().st_mtime_ns for path in (own / "page").rglob("*.js")}
    write_page(own)
    assert {path: path.stat().st_mtime_ns for path in parts} == parts
    change(own / "ball/neus-mask/seed0/views.json", psnr=12.0)
    write_page(own)
    changed = [path.name for path, time in parts.items() if path.stat().st_mtime_ns != time]
    assert changed == ["neus-mask.js"]


def test_everything_fits_into_one_file(own: Path) -> None:
    page = write_page(own, single=True, output=own / "to send.html")
    checker, text = checked(page), page.read_text()
    inside = [a["id"] for tag, a in checker.tags if tag == "script" and "id" in a]
    assert inside == ["part page/ball.js", "part page/ball/neus-mask.js"]
    assert "data:video/mp4;base64," in text


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("path.mp4", '"video":null'),
        ("views", "No view is held out"),
        ("mesh.ply", "there is no mesh"),
        ("errors-none", "0.700"),
        ("run/metrics.csv", "0.700"),
        ("train.json", "0.700"),
        ("views.json", "0.700"),
    ],
)
def test_what_is_missing_leaves_the_rest(own: Path, missing: str, said: str) -> None:
    path = own / "ball/neus-mask/seed0" / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    page = write_page(own)
    checked(page)
    assert said in page.read_text() or missing == "mesh.ply"


def test_a_scan_without_reference_says_so(own: Path) -> None:
    run = own / "ball/neus-mask/seed0"
    change(run / "mesh-none.json", chamfer=None, reason="the scan has no reference")
    shutil.rmtree(run / "errors-none")
    text = write_page(own).read_text()
    assert "the scan has no reference" in text
    assert part(own / "page/ball/neus-mask.js")["errors_absent"] == "the scan has no reference"


def test_what_failed_has_its_place_with_the_reason(own: Path) -> None:
    lost = own / "lost"
    (lost / "logs").mkdir(parents=True)
    (lost / "logs" / "estimate_poses.log").write_text(
        "matching\nerror: 3 photos overlap: take more\n"
    )
    broken = own / "broken" / "neus" / "seed0"
    shutil.copytree(own / "ball" / "scene", own / "broken" / "scene")
    (broken / "logs").mkdir(parents=True)
    (broken / "logs" / "train.log").write_text("step 20\nerror: 2 things are wrong:\n  a\n  b\n")
    page = write_page(own)
    text = page.read_text()
    checked(page)
    assert "the camera poses failed: 3 photos overlap: take more" in text
    assert "the training failed: 2 things are wrong: a b" in text
    assert "2 of 3 did not come through" in text


def test_a_file_that_cannot_be_read_costs_its_own_part_alone(own: Path) -> None:
    (own / "ball/scene/transforms.json").write_text("{")
    said: list[str] = []
    page = write_page(own, report=said.append)
    checked(page)
    assert "malformed" in said[0]
    assert "malformed" in page.read_text()


def test_folders_without_runs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        write_page(tmp_path / "nothing")
    with pytest.raises(InputError, match="holds no runs"):
        write_page(tmp_path)


def test_the_program_makes_the_page_of_given_runs(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = own / "ball/neus-mask/seed0"
    files = ",".join(str(run / f"{name}.json") for name in ("views", "mesh-none", "absent"))
    words = ["--results", str(own), "--runs", f"ball,neus-mask,0,{files}"]
    assert program("page")(words) == 0
    assert "index.html" in capsys.readouterr().err
    assert "0.700" in (own / "index.html").read_text()
