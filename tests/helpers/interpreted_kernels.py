"""Kernels in Triton's interpreter, whose lines are traced for coverage as often as it teaches.

Tracing makes interpreted code two to three times as slow. The first launch of a kernel with a
choice of its switches (booleans, and pointers that are None) goes through all lines that later
launches with the same do.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

from triton.runtime.interpreter import GridExecutor, interpreter_builder


def trace_first_launches() -> None:
    """Let later launches run untraced; once a process."""
    seen: set[tuple[object, ...]] = set()
    launch = GridExecutor.__call__

    def launched(self: GridExecutor, *arguments: Any, **keywords: Any) -> None:
        given = dict(zip(self.arg_names, arguments, strict=False)) | keywords
        switches = [(k, v) for k, v in given.items() if v is None or isinstance(v, bool)]
        choice, tracer = (self.fn, *sorted(switches)), sys.gettrace()
        if choice in seen:
            sys.settrace(None)
        seen.add(choice)
        try:
            launch(self, *arguments, **keywords)
        finally:
            sys.settrace(tracer)

    GridExecutor.__call__ = launched


def leave_out_unread_sums() -> None:
    """Let no integer be computed again in 64 bits: what that finds is said in debug runs alone."""
    options = dataclasses.replace(interpreter_builder.options, sanitize_overflow=False)
    interpreter_builder.options = options
