"""Checks before any work starts: every mistake in a configuration becomes one sentence."""

from __future__ import annotations

import difflib
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neus.config import load_method
from neus.errors import InputError
from neus.images import is_video
from neus.pipeline.scans import Reference, Scan, lies_in
from neus.placement import scale_from, sphere_from, up_from
from neus.sources import check_source, load_network, read_intrinsics

if TYPE_CHECKING:
    from jsonschema import ValidationError


def check_keys(config: dict[str, Any], schema: Path) -> None:
    """Hold a configuration against its JSON schema.

    Raises:
        InputError: a key is unknown or missing, or has a value that is not allowed.
    """
    import yaml
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    validator = Draft202012Validator(yaml.safe_load(schema.read_text()))
    error = best_match(validator.iter_errors(config))
    if error is not None:
        raise InputError("config: " + ", ".join([*_place(error, config), _problem(error)]))


def _place(error: ValidationError, config: dict[str, Any]) -> list[str]:
    """Where a violation is: the scan by its name, then the key with its parents."""
    path = list(error.absolute_path)
    place = []
    if path[:1] == ["scans"] and len(path) > 1:
        scan, number = config["scans"][path[1]], int(path[1]) + 1
        named = isinstance(scan, dict) and "name" in scan
        place, path = [f"scan {scan['name']}" if named else f"scan number {number}"], path[2:]
    return [*place, f"key {'.'.join(map(str, path))}"] if path else place


def _problem(error: ValidationError) -> str:
    """What a violation means to the one who wrote the configuration."""
    schema: dict[str, Any] = dict(error.schema)  # pyright: ignore
    value: Any = error.instance
    if error.validator == "additionalProperties":
        known = list(schema["properties"])
        key = next(key for key in value if key not in known)
        likely = difflib.get_close_matches(str(key), known, n=1)
        remedy = f"did you mean {likely[0]}?" if likely else f"the keys are {', '.join(known)}"
        return f"unknown key {key}: {remedy}"
    if error.validator == "required":
        return next(f"the key {key} is missing" for key in schema["required"] if key not in value)
    if isinstance(value, str) and schema.get("type") in ("integer", "number"):
        return f"{error.message}: --config makes text of nested numbers, so use a --configfile"
    reason = error.message if error.validator not in ("pattern", "not") else f"{value!r} is refused"
    return f"{reason}: {schema['description']}" if "description" in schema else reason


def check_inputs(scans: list[Scan], methods: list[Path]) -> None:
    """Look at all that the user gives, and at nothing that the workflow makes itself.

    Args:
        methods: files of config/methods.

    Raises:
        InputError: two scans share a name; a method, folder or file is missing or cannot be read;
            a key of a method or of overrides is unknown; images, masks and cameras do not match.
            Of several problems with the wanted scans, each is named on a line of its own.
    """
    for name, count in Counter(scan.name for scan in scans).items():
        if count > 1:
            raise InputError(f"config: {count} scans are called {name}: give each its own name")
    for method in methods:
        load_method(method)
    made = [scan.path for scan in scans if scan.source == "demo"]
    problems = [
        f"scan {scan.name}: {problem}"
        for scan in scans
        if scan.is_wanted
        for problem in _problems(scan, methods, made)
    ]
    if len(problems) > 1:
        problems.insert(0, f"{len(problems)} things are missing or wrong:")
    if problems:
        raise InputError("\n  ".join(problems))


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


def _problems(scan: Scan, methods: list[Path], made: list[Path]) -> list[str]:
    """All that is wrong with a scan, each as a sentence."""
    checks = [
        lambda: _check_source(scan, made),
        *(partial(_check_reference_file, file, made) for file in scan.reference.files),
        lambda: _check_reference_cameras(scan.reference, made),
        lambda: _check_mask_model(scan),
        lambda: _check_overrides(scan, methods),
    ]
    problems = []
    for check in checks:
        try:
            check()
        except InputError as error:
            problems.append(str(error))
    return problems


def _check_overrides(scan: Scan, methods: list[Path]) -> None:
    for method in methods:
        load_method(method, scan.overrides)


def _check_mask_model(scan: Scan) -> None:
    if scan.mask_model is None:
        return
    if scan.masks != "auto":
        raise InputError("mask_model adds the masks that are missing: it goes with masks: auto")
    load_network(scan.mask_model)


def _check_source(scan: Scan, made: list[Path]) -> None:
    sphere_from(scan.sphere)
    scale = scale_from(scan.scale, scan.unit)
    up_from(scan.up, scan.source, scale)
    if scan.intrinsics is not None:
        read_intrinsics(scan.intrinsics)
    if scale is not None and isinstance(scale.positions, Path) and not scale.positions.is_file():
        raise InputError(f"{scale.positions} does not exist: correct the key scale.positions")
    if lies_in(scan.path, made):
        return
    if scan.source == "photos" and is_video(scan.path):
        return
    if not scan.path.is_dir():
        raise InputError(f"the folder {scan.path} does not exist: correct the key path")
    check_source(scan.source, scan.path, masks=scan.masks)


def _check_reference_file(file: Path, made: list[Path]) -> None:
    if not lies_in(file, made) and not file.is_file():
        raise InputError(f"{file} does not exist: correct the key reference")


def _check_reference_cameras(reference: Reference, made: list[Path]) -> None:
    if reference.cameras is not None and not lies_in(reference.cameras, made):
        check_source("dtu", reference.cameras, masks="none")
