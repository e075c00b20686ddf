"""The entry of the programs in ``scripts/``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

from neus.errors import InputError


def run(main: Callable[[], int]) -> NoReturn:
    """Exit with what ``main`` returns; bad input prints its sentence and exits with status 2."""
    try:
        status = main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        status = 2
    raise SystemExit(status)
