"""A configuration against its schema: every key that is wrong becomes one sentence."""

from __future__ import annotations

import copy
import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neus.errors import InputError

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError


def check_keys(config: dict[str, Any], schema: Path) -> None:
    """Hold a configuration against its JSON schema.

    Raises:
        InputError: keys are unknown or missing, or have values that are not allowed; each has a
            sentence.
    """
    from jsonschema.exceptions import best_match

    validator = _validator(schema)
    found = sorted(validator.iter_errors(config), key=lambda error: list(map(str, error.path)))
    errors = [best_match([error]) or error for error in found]
    sentences = [
        "config: " + ", ".join([*_place(error, config), problem])
        for error in errors
        for problem in _problems_of_key(error)
    ]
    if sentences:
        raise InputError(*dict.fromkeys(sentences))


def sound_part(config: dict[str, Any], schema: Path) -> dict[str, Any] | None:
    """A configuration without what `check_keys` refuses, so that its scans can be looked at.

    Keys that are wrong go alone, a scan that lacks one as a whole. None, if no scan is left.
    """
    validator, part = _validator(schema), copy.deepcopy(config)
    while error := next(validator.iter_errors(part), None):
        path = list(error.absolute_path)
        if error.validator == "additionalProperties":
            known = dict(error.schema)["properties"]  # pyright: ignore
            path += [next(key for key in error.instance if key not in known)]  # pyright: ignore
        if not path:
            return None
        _remove(part, path)
    left = _names(part)
    if isinstance(part.get("only"), list):
        part["only"] = [n for n in part["only"] if n in left or n not in _names(config)]
    return part


def _names(config: dict[str, Any]) -> list[Any]:
    return [scan.get("name") for scan in config["scans"] if isinstance(scan, dict)]


def _remove(part: Any, path: list[Any]) -> None:
    for key in path[:-1]:
        part = part[key]
    del part[path[-1]]


def _validator(schema: Path) -> Draft202012Validator:
    import yaml
    from jsonschema import Draft202012Validator

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in a seventh of the time
    return Draft202012Validator(yaml.load(schema.read_text(), loader))


def _place(error: ValidationError, config: dict[str, Any]) -> list[str]:
    """Where a violation is: the scan by its name, then the key with its parents."""
    path = list(error.absolute_path)
    place = []
    if path[:1] == ["scans"] and len(path) > 1:
        scan, number = config["scans"][path[1]], int(path[1]) + 1
        named = isinstance(scan, dict) and "name" in scan
        place, path = [f"scan {scan['name']}" if named else f"scan number {number}"], path[2:]
    return [*place, f"key {'.'.join(map(str, path))}"] if path else place


def _problems_of_key(error: ValidationError) -> list[str]:
    """What a violation means to the one who wrote the configuration."""
    schema: dict[str, Any] = dict(error.schema)  # pyright: ignore
    value: Any = error.instance
    if error.validator == "additionalProperties":
        known = list(schema["properties"])
        return [_unknown(str(key), known) for key in value if key not in known]
    if error.validator == "required":
        return [f"the key {key} is missing" for key in schema["required"] if key not in value]
    if isinstance(value, str) and schema.get("type") in ("integer", "number"):
        return [f"{error.message}: --config makes text of nested numbers, so use a --configfile"]
    reason = error.message if error.validator not in ("pattern", "not") else f"{value!r} is refused"
    return [f"{reason}: {schema['description']}" if "description" in schema else reason]


def _unknown(key: str, known: list[str]) -> str:
    likely = difflib.get_close_matches(key, known, n=1)
    remedy = f"did you mean {likely[0]}?" if likely else f"the keys are {', '.join(known)}"
    return f"unknown key {key}: {remedy}"
