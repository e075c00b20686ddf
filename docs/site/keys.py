"""Every key, with its default and its meaning, as tables in Markdown.

Nothing is said here: meanings come from where keys are defined, the docstrings of ``neus.config``
and the descriptions of the workflow's schema.

    python -m docs.site.keys          prints both
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import yaml

from neus.config import RatePiece, load_method

SCHEMA = Path(__file__).parents[2] / "workflow" / "schemas" / "config.schema.yaml"
ENTRY = re.compile(r"^ {4}(\w+(?:, \w+)*): (.*(?:\n {8}.*)*)", re.MULTILINE)


def method_keys() -> str:
    """A section for each group of keys of a method, with the defaults that hold in it."""
    config = load_method()
    pieces = "training.learning_rates.schedules[][]"
    return "\n\n".join([*_groups(config, ""), _group(RatePiece(), pieces)])


def _groups(config: Any, path: str) -> Iterator[str]:
    yield _group(config, path)
    for key in fields(config):
        value = getattr(config, key.name)
        if is_dataclass(value):
            yield from _groups(value, f"{path}.{key.name}".lstrip("."))


def _group(config: Any, path: str) -> str:
    prose, meanings = described(type(config))
    rows = [
        (_code(key.name), _default(getattr(config, key.name)), meanings[key.name])
        for key in fields(config)
    ]
    title = _code(path) if path else "A method's file"
    return f"## {title}\n\n{prose}\n\n{_table(rows)}"


def described(config: type) -> tuple[str, dict[str, str]]:
    """The prose of a dataclass's docstring, and the meanings under ``Attributes:``, as Markdown.

    Raises:
        LookupError: a key has no meaning.
    """
    prose, _, listed = inspect.cleandoc(config.__doc__ or "").partition("\nAttributes:\n")
    meanings = {
        name: _markdown(text[0].upper() + text[1:])
        for names, text in ENTRY.findall(listed)
        for name in names.split(", ")
    }
    for key in fields(config):
        if key.name not in meanings:
            raise LookupError(f"{config.__name__}.{key.name}: no line under Attributes: says what")
    return "\n\n".join(map(_markdown, prose.strip().split("\n\n"))), meanings


def _markdown(text: str) -> str:
    """A docstring's paragraph on one line, without the roles of reStructuredText."""
    text = re.sub(r":\w+:`([^`]*)`", r"``\1``", " ".join(text.split()))
    return re.sub(r"``([^`]*)``", r"`\1`", text)


def _default(value: Any) -> str:
    if is_dataclass(value):
        return "below"
    return _code("none" if value is None else _yaml(value))


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip()


def workflow_keys() -> str:
    """A section for the keys of a configuration, and for each mapping in it."""
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    return "\n\n".join(_parts(schema, "", schema["$defs"]))


def _parts(part: dict[str, Any], path: str, defined: dict[str, Any]) -> Iterator[str]:
    required = part.get("required", [])
    rows = [
        (_code(name), _schema_default(found, name in required), _schema_meaning(found))
        for name, found in part["properties"].items()
    ]
    yield f"## {_code(path) if path else 'A configuration'}\n\n{_table(rows)}"
    for name, found in part["properties"].items():
        inner = found.get("items", found)
        if "properties" not in inner:
            inner = inner.get("then", inner)  # a mapping in the place of a name
        inner = defined[inner["$ref"].rsplit("/", 1)[1]] if "$ref" in inner else inner
        if inner == {"description": inner.get("description"), "type": "object"}:
            inner = defined.get(name, inner)  # where an if decides which mapping it is
        if "properties" in inner:
            place = f"{path}.{name}".lstrip(".") + "[]" * ("items" in found)
            yield from _parts(inner, place, defined)


def _schema_meaning(found: dict[str, Any]) -> str:
    values = ", ".join(_code(_yaml(value)) for value in found.get("enum", ()))
    return _markdown(found["description"]) + (f" One of {values}." if values else "")


def _schema_default(found: dict[str, Any], is_required: bool) -> str:
    if is_required:
        return "required"
    if "default" not in found:
        return ""
    return "below" if "properties" in found else _code(_yaml(found["default"]))


def _table(rows: list[tuple[str, str, str]]) -> str:
    lines = [("key", "default", "meaning"), ("---", "---", "---"), *rows]
    cells = ([cell.replace("|", r"\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def _code(text: str) -> str:
    return f"`{text}`"


if __name__ == "__main__":
    print(workflow_keys(), method_keys(), sep="\n\n")
