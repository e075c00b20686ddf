"""JSON files as people edit and move them: any encoding, and mistakes by line and column."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from neus.errors import refusal

COMMENT = re.compile(r"\s*(?://|/\*|#)")
REMEDY = "correct it there, or write the file again"


def read_json(file: Path) -> dict[str, Any]:
    """The object in a JSON file; a byte order mark is no part of it.

    Raises:
        InputError: the file is missing, or holds no JSON object; the place of the mistake is said.
    """
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else str(error.strerror)
        raise refusal(
            file, found, "a list of posed frames", "add it, or correct the keys source and path"
        ) from None
    except UnicodeDecodeError as error:
        found = f"a byte that is no {error.encoding} at offset {error.start}"
        raise refusal(file, found, "text in UTF-8", "save it as UTF-8") from None
    except json.JSONDecodeError as error:
        place = f"{file}, line {error.lineno}, column {error.colno}"
        raise refusal(place, _mistake(error), "JSON", REMEDY) from None
    except RecursionError:
        raise refusal(file, "lists within lists without end", "JSON", REMEDY) from None
    if not isinstance(content, dict):
        kind = {list: "a list", str: "a text"}.get(type(content), "a number or nothing")
        raise refusal(file, kind, 'an object, {"frames": [...]}', "write the file again")
    return content


def _mistake(error: json.JSONDecodeError) -> str:
    """What stands where JSON ends, in words."""
    text, place = error.doc, error.pos
    rest, before = text[place:], text[:place].rstrip()
    if COMMENT.match(rest) or COMMENT.match(text[max(before.rfind("\n"), 0) :].lstrip("\n")):
        return "a comment, which JSON does not have"
    if not text.strip():
        return "an empty file"
    if (rest[:1] in ("}", "]") and before.endswith(",")) or "trailing comma" in error.msg:
        return "a comma after the last entry"
    if not rest.strip():
        return "the end of the file, which is cut off"
    if rest[:1] == "'":
        return "a text in single quotes"
    return error.msg[0].lower() + error.msg[1:]
