"""The page itself: HTML with everything that is seen before a section is opened."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template

from neus.page.entries import RunEntry, ScanEntry, three_digits
from neus.page.figures import COLUMNS, LESS, PageRow
from neus.tables import GIVEN, RUN_HERE

SCRIPTS = (
    *("elements", "decode", "table", "shaders", "orbit", "viewer", "compare", "curves", "page"),
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob: 'self' file:; "
POLICY += "media-src data: blob: 'self' file:; script-src 'unsafe-inline' 'self' file:"
"""Nothing comes from anywhere but the page and the files beside it."""


def asset(name: str) -> str:
    """A file of neus/page/assets."""
    return files("neus.page").joinpath("assets", name).read_text(encoding="utf-8")


def document(**pieces: str) -> str:
    """The template with its pieces, which are HTML already, and the project's style and scripts."""
    script = '(() => {\n"use strict";\n' + "\n".join(asset(f"{name}.js") for name in SCRIPTS)
    return Template(asset("page.html")).substitute(
        policy=POLICY, style=asset("page.css"), script=script + "\n})();", **pieces
    )


def wall(scans: Sequence[ScanEntry], rows: Sequence[PageRow]) -> str:
    """A card for each scan: its worst view, its errors and its figures, or what went wrong."""
    return "\n".join(f"<li>{_card(i, scan, rows)}</li>" for i, scan in enumerate(scans))


def _card(index: int, scan: ScanEntry, rows: Sequence[PageRow]) -> str:
    failed = scan.failure or next((run.failure for run in scan.runs if run.failure), None)
    shown = next((run for run in scan.runs if run.head.get("thumbs")), None)
    lines = "".join(_line(run, _row_of(rows, scan.name, run)) for run in scan.runs)
    return (
        f'<a class="card{" failed" if failed else ""}" href="#scan-{index}">'
        f'<div class="shots">{_shots(scan, shown, failed)}</div>'
        f'<div class="words"><h3>{escape(scan.name)}</h3><dl>{lines}</dl></div></a>'
    )


def _shots(scan: ScanEntry, run: RunEntry | None, failed: str | None) -> str:
    if run is None:
        return f'<p class="none wide">{escape(_short(failed or "nothing to show"))}</p>'
    thumbs, name = run.head["thumbs"], escape(scan.name)
    left = thumbs["rendering"], "", f"The worst held-out view of {name}, rendered"
    right = thumbs["errors"], "whole", f"Errors of the surface of {name}"
    absent = ("no view is held out", run.head.get("no_errors") or "no reference")
    return "".join(
        f'<img class="{kind}" src="{picture}" alt="{alt}">'
        if picture
        else f'<p class="none">{escape(_short(reason))}</p>'
        for (picture, kind, alt), reason in zip((left, right), absent, strict=True)
    )


def _line(run: RunEntry, row: PageRow | None) -> str:
    values = row.values if row else {}
    chamfer = (
        f"{three_digits(values['chamfer'])} <small>{escape(row.unit)}</small>"
        if row and "chamfer" in values
        else ""
    )
    psnr = f"{values['psnr']:.1f} <small>dB</small>" if "psnr" in values else ""
    return f"<dt>{escape(run.method or 'no run')}</dt><dd>{chamfer}</dd><dd>{psnr}</dd>"


def _row_of(rows: Sequence[PageRow], scan: str, run: RunEntry) -> PageRow | None:
    found = [r for r in rows if r.is_ours and (r.scan, r.method) == (scan, run.method)]
    return next((r for r in found if r.culling == run.culling), found[0] if found else None)


def sections(scans: Sequence[ScanEntry], rows: Sequence[PageRow]) -> str:
    """A closed section for each scan; scripts fill it when it is opened."""
    return "\n".join(_section(i, scan, rows) for i, scan in enumerate(scans))


def _section(index: int, scan: ScanEntry, rows: Sequence[PageRow]) -> str:
    methods = ", ".join(run.method for run in scan.runs if run.method)
    said = [methods] + ([f"{scan.head['images']} photos"] if scan.head else [])
    body = f'<p class="failure">{escape(scan.failure)}</p>' if scan.failure else ""
    return (
        f'<details class="scan" id="scan-{index}" data-index="{index}"><summary>'
        f"<h3>{escape(scan.name)}</h3><span>{escape(' · '.join(filter(None, said)))}</span>"
        f'</summary><div class="body">{body}</div></details>'
    )


def table(rows: Sequence[PageRow], means: Sequence[PageRow], notes: Sequence[str]) -> str:
    """All rows, sortable by each column, with the means below."""
    if not rows:
        return '<p class="notes">No run has figures yet.</p>'
    everything = [*rows, *means]
    names = [name for name in COLUMNS if any(name in row.values for row in everything)]
    has = {
        "culling": len({row.culling for row in rows if row.is_ours}) > 1,
        "seeds": any(row.seeds > 1 for row in rows),
        "difference": any(row.difference is not None for row in rows),
        "device": any(row.device for row in rows),
        "reason": any(row.reason for row in rows),
    }
    head = "".join(_th(*heading) for heading in _headings(names, has))
    body = "".join(_tr(row, names, has) for row in rows)
    foot = "".join(_tr(row, names, has) for row in means)
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Table of figures">'
        '<table class="sortable"><caption>Held-out views and surfaces; the best of a scan in bold. '
        "A heading sorts.</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
        + (f"<tbody>{foot}</tbody>" if foot else "")
        + "</table></div>"
        + "".join(f'<p class="notes">{escape(note)}</p>' for note in notes)
    )


def _tr(row: PageRow, names: Sequence[str], has: dict[str, bool]) -> str:
    kind = "paper" if not row.is_ours else "mean" if row.scan.startswith("mean of") else "ours"
    cells = [f'<th scope="row" class="l">{escape(row.scan)}</th>']
    marked = row.origin in (GIVEN, RUN_HERE)
    name = f"{row.method} ({row.origin})" if marked else row.method
    cells.append(f'<td class="l">{escape(name)}</td>')
    cells += [f'<td class="l">{escape(row.culling)}</td>'] * has["culling"]
    cells += [f"<td>{row.seeds or ''}</td>"] * has["seeds"]
    for name in names:
        cells.append(_cell(row, name))
        if name == "chamfer" and has["difference"]:
            cells.append(_difference(row))
    cells += [f'<td class="l">{escape(row.device)}</td>'] * has["device"]
    cells += [f'<td class="why">{escape(row.reason)}</td>'] * has["reason"]
    return f'<tr class="{kind}">{"".join(cells)}</tr>'


def _headings(names: Sequence[str], has: dict[str, bool]) -> list[tuple[str, str, str]]:
    """Each column's title, its side (``l`` for left), and which of its figures are the best."""
    headings = [("Scan", "l", ""), ("Method", "l", "")]
    headings += [("Culling", "l", "")] * has["culling"] + [("Seeds", "", "most")] * has["seeds"]
    for name in names:
        title, better, _ = COLUMNS[name]
        headings.append((title, "", "least" if better == LESS else "most"))
        headings += [("against", "", "least")] * (name == "chamfer" and has["difference"])
    headings += [("Device", "l", "")] * has["device"]
    return headings + [("Why no distances", "l", "")] * has["reason"]


def _th(title: str, side: str, best: str) -> str:
    kind = "number" if best else "text"
    return (
        f'<th scope="col" class="{side}" aria-sort="none" data-best="{best}" data-kind="{kind}">'
        f'<button type="button">{title}</button></th>'
    )


def _cell(row: PageRow, name: str) -> str:
    if name not in row.values:
        return '<td data-value=""></td>'
    digits, factor = COLUMNS[name][2], 1 / 60 if name == "seconds" else 1.0
    value = factor * row.values[name]
    is_length = name in ("chamfer", "accuracy", "completeness")
    text = f"{value:.2f}" if is_length and not row.is_ours else f"{value:.{digits}f}"
    if is_length and 0 < value < 0.1 and row.is_ours:
        text = f"{value:.2g}"
    text = f"<b>{text}</b>" if name in row.best else text
    if name in row.deviations:
        text += f" <small>± {factor * row.deviations[name]:.{digits}f}</small>"
    if is_length and row.unit:
        text += f" <small>{escape(row.unit)}</small>"
    return f'<td data-value="{value!r}">{text}</td>'


def _difference(row: PageRow) -> str:
    if row.difference is None:
        return '<td data-value=""></td>'
    kind = "better" if row.difference < 0 else "worse"
    return (
        f'<td data-value="{row.difference!r}" class="{kind}" title="{escape(row.compared)}">'
        f"{row.difference:+.0%} <small>{escape(row.compared)}</small></td>"
    )


def _short(text: str, most: int = 150) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
