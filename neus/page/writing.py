"""The page of a folder of results: its parts, made where they are out of date, and index.html."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from html import escape
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from neus.errors import InputError
from neus.files import written_whole
from neus.metrics.error_clouds import error_colours
from neus.page.document import document, sections, table, wall
from neus.page.entries import (
    RunEntry,
    ScanEntry,
    entries,
    facts_of,
    found_runs,
    with_files_that_are_there,
)
from neus.page.figures import PageRow, mean_rows, page_rows
from neus.page.of_run import run_part, run_sources
from neus.page.of_scan import scan_part, scan_sources
from neus.page.parts import as_script, head_of, part
from neus.page.words import footer, heading, lead, notes
from neus.tables import Published, Run, collect_rows

PAGE, PARTS = "index.html", "page"


def write_page(
    results: Path,
    runs: Sequence[Run] | None = None,
    published: Published | None = None,
    *,
    workers: int = 1,
    single: bool = False,
    output: Path | None = None,
    report: Callable[[str], None] = lambda sentence: None,
) -> Path:
    """Write ``results/index.html`` and, beside it, the parts in ``results/page``.

    What a run lacks is left out, with the reason in its place.

    Args:
        runs: with the files of their figures, which need not exist; None for all that are found.
        published: figures of papers.
        workers: processes.
        single: puts all parts, and the flights, into the page itself.
        output: another name for the page; its parts are looked for beside it.

    Returns:
        The page.

    Raises:
        InputError: the folder holds no runs, or two of the same name.
    """
    if not results.is_dir():
        raise InputError(f"{results} is no folder: name the folder that a run wrote its results to")
    runs = [
        with_files_that_are_there(run) for run in (found_runs(results) if runs is None else runs)
    ]
    if not runs:
        raise InputError(f"{results} holds no runs: start one first, or name another folder")
    scans = entries(results, runs)
    _make_parts(results, scans, workers, report)
    rows = _rows([run for run in runs if run.method], published)
    parts = _inlined(results, scans) if single else ""
    text = document(
        title=escape(f"{results.resolve().name} · neus"),
        heading=escape(heading(scans, rows)),
        lead=escape(lead(scans, rows)),
        wall=wall(scans, rows),
        few=" few" if len(scans) < 5 else "",
        table=table(rows, mean_rows(rows), notes(rows, published)),
        scans=sections(scans, rows),
        footer=footer(),
        parts=parts,
        data=as_script(_data(results, scans, rows)),
    )
    target = output or results / PAGE
    with written_whole(target) as partial:
        partial.write_text(text, encoding="utf-8")
    return target


def _rows(runs: Sequence[Run], published: Published | None) -> list[PageRow]:
    """Of the runs that left any figure."""
    if not runs:
        return []
    records: list[dict[str, Any]] = collect_rows(runs).to_dict("records")  # pyright: ignore
    measured = [r for r in records if any(_is_known(r[n]) for n in ("psnr", "chamfer", "seconds"))]
    return page_rows(measured, published or Published((), ()))


def _make_parts(
    results: Path, scans: list[ScanEntry], workers: int, report: Callable[[str], None]
) -> None:
    """Fill in the names and heads of all parts; each is made by a process of its own."""
    tasks: list[tuple[ScanEntry | RunEntry, tuple]] = []
    for scan in scans:
        if scan.failure:
            continue
        scan.part = f"{PARTS}/{scan.name}.js"
        tasks.append((scan, (results, scan.part, scan.folder, None)))
        for run in scan.runs:
            run.part = f"{PARTS}/{scan.name}/{_name_of_part(run)}.js"
            tasks.append((run, (results, run.part, run.folder, run.culling)))
    if workers > 1 and len(tasks) > 1:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            made = list(pool.map(_make, [task for _, task in tasks]))
    else:
        made = [_make(task) for _, task in tasks]
    for (entry, (_, name, *_)), (head, sentence) in zip(tasks, made, strict=True):
        if sentence is not None:
            report(f"{name}: {sentence}")
            entry.failure = entry.failure or sentence
        entry.head |= head


def _name_of_part(run: RunEntry) -> str:
    """A given mesh's method is called as anybody likes; its folder is a name of ours."""
    is_given = run.folder.parent.name == "meshes"
    return f"meshes/{run.folder.name}" if is_given else run.method


def _make(task: tuple[Path, str, Path, str | None]) -> tuple[dict[str, Any], str | None]:
    """The head of a part, or why it cannot be made: one bad file must not cost the whole page."""
    results, name, folder, culling = task
    path = results / name
    try:
        if culling is None:
            return part(path, name, scan_sources(folder), lambda: scan_part(folder)), None
        sources = run_sources(folder, culling)
        return part(path, name, sources, lambda: run_part(folder, culling)), None
    except InputError as error:
        path.unlink(missing_ok=True)
        return {}, str(error)


def _data(results: Path, scans: list[ScanEntry], rows: list[PageRow]) -> dict[str, Any]:
    """What the page's scripts read."""
    palette = error_colours(np.linspace(0, 1, 256), 1.0)
    return {
        "palette": palette.reshape(-1).tolist(),
        "scans": [
            {
                "name": scan.name,
                "part": scan.part,
                "failure": scan.failure,
                "runs": [_run_data(results, scan, run, rows) for run in scan.runs],
            }
            for scan in scans
        ],
    }


def _run_data(results: Path, scan: ScanEntry, run: RunEntry, rows: list[PageRow]) -> dict[str, Any]:
    own = [r for r in rows if r.is_ours and (r.scan, r.method) == (scan.name, run.method)]
    row = next((r for r in own if r.culling == run.culling), None)
    flight = run.folder / "path.mp4"
    return {
        "method": run.method,
        "part": run.part,
        "failure": run.failure,
        "facts": facts_of(row, run, scan),
        "notes": [f"Surface: {row.reason}."] if row and row.reason else [],
        "no_mesh": run.failure or "there is no mesh",
        "no_views": run.head.get("no_views") or "No view is held out.",
        "video": flight.relative_to(results).as_posix() if flight.is_file() else None,
    }


def _inlined(results: Path, scans: list[ScanEntry]) -> str:
    """All parts as elements of the page, with the flights in those of the runs."""
    elements = []
    for entry in [e for scan in scans for e in (scan, *scan.runs)]:
        path = results / entry.part
        if not entry.part or head_of(path) is None:
            continue
        call = path.read_text(encoding="utf-8").split("\n", 1)[1].strip()
        text = call.split(",", 1)[1].removesuffix(");")
        flight = entry.folder / "path.mp4"
        if flight.is_file():
            video = base64.b64encode(flight.read_bytes()).decode()
            text = as_script(json.loads(text) | {"video": f"data:video/mp4;base64,{video}"})
        name = escape(f"part {entry.part}")
        elements.append(f'<script type="application/json" id="{name}">{text}</script>')
    return "\n".join(elements)


def _is_known(value: Any) -> bool:
    return isinstance(value, int | float) and bool(np.isfinite(value))
