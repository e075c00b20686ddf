"""What the programs may say: texts of the code, with an ellipsis where something is filled in."""

from __future__ import annotations

import ast
from pathlib import Path


def sentences(folder: Path) -> list[str]:
    """All texts of the modules below a folder, on one line each."""
    return [
        " ".join(text.split())
        for module in sorted(folder.rglob("*.py"))
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if (text := _text(node))
    ]


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "…" for part in node.values)
    return ""
