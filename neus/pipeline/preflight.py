"""Checks before any work starts: every mistake in a configuration becomes one sentence."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from neus.config import load_budget, load_method
from neus.errors import Faults, InputError, refusal
from neus.files import Facts
from neus.images import VIDEOS, check_video, is_video
from neus.pipeline.plausible import check_plausible
from neus.pipeline.scans import Reference, Scan, lies_in
from neus.placement import scale_from, sphere_from, up_from
from neus.sources import (
    Capture,
    blank_masks,
    check_source,
    choose_masks,
    find_photos,
    holds_no_photos,
    image_root,
    load_network,
    read_intrinsics,
    without_blank_masks,
)

THREADS = 4
"""Masks that are looked at at a time."""
Report = Callable[[str], None]


def check_inputs(
    scans: list[Scan],
    methods: list[Path],
    *,
    results: Path | None = None,
    report: Report = lambda line: None,
    facts: Facts | None = None,
    budget: Path | None = None,
    captures: dict[str, Capture] | None = None,
) -> None:
    """Look at all that the user gives, and at nothing that the workflow makes itself.

    Args:
        methods: files of config/methods.
        results: folder of results, whose pictures may not be among the photos.
        report: hears what is left out or mended, which does not stop the work.
        facts: what is known of files, so that masks are not decoded each time.
        budget: file that is laid over every method.
        captures: filled with what was read of posed scans, by their names.

    Raises:
        InputError: two scans share a name; a method, folder or file is missing or cannot be read;
            a key of a method or of overrides is unknown; images, masks and cameras do not match or
            cannot be right. Of several problems with the wanted scans, each is named on a line of
            its own.
    """
    faults = Faults()
    for name, count in Counter(scan.name for scan in scans).items():
        with faults.noted():
            if count > 1:
                raise InputError(f"config: {count} scans are called {name}: give each its own name")
    sound = []
    for method in methods:
        with faults.noted():
            load_method(method, budget=budget and load_budget(budget, method.stem))
            sound.append(method)
    made = [scan.path for scan in scans if scan.source == "demo"]
    for scan in (scan for scan in scans if scan.is_wanted):
        prefix = f"scan {scan.name}: "
        with faults.noted():
            _check_results(scan, results)
        read = {} if captures is None else captures
        of_scan = _faults(scan, sound, made, lambda line, p=prefix: report(p + line), facts, read)
        faults.sentences += [prefix + sentence for sentence in of_scan]
    faults.raise_any()


def absent_references(scans: list[Scan]) -> list[str]:
    """A sentence for each folder of references that does not exist, naming the wanted scans."""
    without: dict[str, list[str]] = {}
    for scan in scans:
        reference = scan.reference
        if scan.is_wanted and reference.root is not None and reference.absence is not None:
            without.setdefault(reference.absence, []).append(scan.name)
    return [
        f"{absence}: the meshes of {', '.join(names)} are made but not measured"
        for absence, names in without.items()
    ]


def _faults(
    scan: Scan,
    methods: list[Path],
    made: list[Path],
    report: Report,
    facts: Facts | None,
    captures: dict[str, Capture],
) -> list[str]:
    """All that is wrong with a scan, each as a sentence."""
    checks = [
        lambda: _check_source(scan, made, report, facts, captures),
        lambda: _check_intrinsics(scan),
        lambda: _check_positions(scan),
        *(partial(_check_reference_file, file, made) for file in scan.reference.files),
        lambda: _check_reference_cameras(scan.reference, made),
        lambda: _check_mask_model(scan),
        lambda: _check_overrides(scan, methods),
    ]
    faults = Faults()
    for check in (lambda: sphere_from(scan.sphere), lambda: _check_up(scan), *checks):
        with faults.noted():
            check()
    return faults.sentences


def _check_up(scan: Scan) -> None:
    up_from(scan.up, scan.source, scale_from(scan.scale, scan.unit))


def _check_intrinsics(scan: Scan) -> None:
    if scan.intrinsics is not None:
        read_intrinsics(scan.intrinsics)


def _check_positions(scan: Scan) -> None:
    scale = scale_from(scan.scale, scan.unit)
    if scale is not None and isinstance(scale.positions, Path) and not scale.positions.is_file():
        raise InputError(f"{scale.positions} does not exist: correct the key scale.positions")


def _check_overrides(scan: Scan, methods: list[Path]) -> None:
    if scan.overrides:  # methods as they are were read before
        for method in methods:
            _check_method(method, json.dumps(scan.overrides, default=str))


@cache
def _check_method(method: Path, overrides: str) -> None:
    """Scans of a benchmark have the same overrides, mostly: once is enough."""
    load_method(method, json.loads(overrides))


def _check_mask_model(scan: Scan) -> None:
    if scan.mask_model is None:
        return
    if scan.masks != "auto":
        raise InputError("mask_model adds the masks that are missing: it goes with masks: auto")
    load_network(scan.mask_model)


def _check_source(
    scan: Scan,
    made: list[Path],
    report: Report,
    facts: Facts | None,
    captures: dict[str, Capture],
) -> None:
    if lies_in(scan.path, made):
        return
    if scan.source == "photos" and is_video(scan.path):
        if "{" in str(scan.path):
            raise refusal(
                f"{scan.path}, key path", "braces in the name of a video", "none", "rename it"
            )
        check_video(scan.path)
        return
    _check_path(scan)
    capture = check_source(scan.source, scan.path, masks=scan.masks, report=report)
    if capture is None:
        photos = find_photos(scan.path)
        images = photos.sound()[0]
        masks = choose_masks(scan.path, images, photos.root, scan.masks)
        blank_masks(images, masks, threads=THREADS, report=report, facts=facts)
        return
    captures[scan.name] = capture
    faults = Faults()
    with faults.noted():
        without_blank_masks(capture, threads=THREADS, report=report, facts=facts)
    if scan.scale is None:  # else the sphere is in a frame that is not known yet
        with faults.noted():
            names_axes = scan.source in ("nerfstudio", "blender")
            sphere = sphere_from(scan.sphere)
            check_plausible(capture, sphere, scan.path, names_axes=names_axes)
    faults.raise_any()


def _check_results(scan: Scan, results: Path | None) -> None:
    """Refuse results among the photos, which would be taken for photos the next time."""
    if results is None or scan.source == "demo" or not scan.path.is_dir():
        return
    root, folder = image_root(scan.path).resolve(), results.resolve()
    if not folder.is_relative_to(root):
        return
    below = [part for part in (folder, *folder.parents) if part.is_relative_to(root)][:-1]
    if not any(holds_no_photos(part) or part.name.startswith(".") for part in below):
        raise InputError(
            f"config, key results: found {results} among the images of scan {scan.name} in {root}, "
            "expected a folder elsewhere: name one, or put the images into images/"
        )


def _check_path(scan: Scan) -> None:
    """Refuse what is neither a folder nor the file of a scan's cameras."""
    if scan.path.is_dir() or (scan.path.is_file() and scan.source != "photos"):
        return
    if scan.path.is_file():
        kinds = ", ".join(sorted(VIDEOS))
        raise refusal(
            f"{scan.path}, key path",
            "a file that is no video",
            f"a folder of photos, or a video ({kinds})",
            "name the folder, or set source to what the file is for",
        )
    raise InputError(f"the folder {scan.path} does not exist: correct the key path")


def _check_reference_file(file: Path, made: list[Path]) -> None:
    if not lies_in(file, made) and not file.is_file():
        raise InputError(f"{file} does not exist: correct the key reference")


def _check_reference_cameras(reference: Reference, made: list[Path]) -> None:
    if reference.cameras is not None and not lies_in(reference.cameras, made):
        check_source("dtu", reference.cameras, masks="none")
