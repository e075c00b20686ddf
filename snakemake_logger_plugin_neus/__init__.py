"""Snakemake's messages as lines of ``neus``: ``snakemake --logger neus``.

Snakemake finds a logger by the name of its package. This one hands what happens to
``neus.console``, which knows nothing of Snakemake; Snakemake's own words go to its log file alone.
What a dry run prints stays as it is.
"""

from __future__ import annotations

import os
import sys
from logging import WARNING, Handler, LogRecord
from pathlib import Path

from snakemake.logging import ColorizingTextHandler
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from neus.console import FORETOLD, PLAN, Console, Plan, painter_for, read_plan

QUIET = "NEUS_LINES"
"""Tells `logged` of workflow/shell.sh that a job's words are kept and not shown."""
LOG_HINT = "Complete log"
OF_A_JOB = "CalledProcessError"


class LogHandler(LogHandlerBase):
    """Shows a run by one line a job."""

    def __post_init__(self) -> None:
        self._logs: dict[int, Path] = {}
        self._plain: Handler | None = None
        self._console: Console | None = None
        self._is_begun = self._has_failed = False
        stream = sys.stdout if self.common_settings.stdout else sys.stderr
        if self.common_settings.dryrun:
            self._plain = ColorizingTextHandler(nocolor=self.common_settings.nocolor, stream=stream)
            return
        self._console = Console(painter_for(stream), foretold=FORETOLD)
        os.environ[QUIET] = "1"

    @property
    def writes_to_stream(self) -> bool:
        return True

    @property
    def writes_to_file(self) -> bool:
        return False

    @property
    def has_filter(self) -> bool:
        return False

    @property
    def has_formatter(self) -> bool:
        return False

    @property
    def needs_rulegraph(self) -> bool:
        return False

    def emit(self, record: LogRecord) -> None:
        try:
            if self._console is None:
                assert self._plain is not None
                self._plain.setFormatter(self.formatter)
                self._plain.emit(record)
            else:
                self._tell(self._console, record)
        except Exception:  # as logging does: what is shown must not stop what is done
            self.handleError(record)

    def flush(self) -> None:
        """Wait until the last job's line is written: what is printed then comes after it."""
        if self._console is not None and not self._has_failed:
            self._console.wait(2.0)

    def close(self) -> None:
        if self._console is not None:
            self._console.close()
        super().close()

    def _tell(self, console: Console, record: LogRecord) -> None:
        event = getattr(record, "event", None)
        if event == LogEvent.JOB_INFO:
            self._begin(console, record)
        elif event == LogEvent.JOB_FINISHED:
            console.finish(record.__dict__["job_id"])
        elif event == LogEvent.JOB_ERROR:
            self._has_failed = True
            number = record.__dict__["jobid"]
            console.fail(number, self._logs.get(number))
        elif event in (None, LogEvent.ERROR) and self._is_for_people(record):
            console.say(self.format(record))

    def _begin(self, console: Console, record: LogRecord) -> None:
        if not self._is_begun:
            self._is_begun = True
            console.plan(read_plan(PLAN) or Plan((), None, None))
        if not record.__dict__["output"]:  # `all`, which makes nothing
            return
        number, logs = record.__dict__["jobid"], record.__dict__["log"]
        if logs:
            self._logs[number] = Path(logs[0])
        console.begin(number, self._logs.get(number), record.__dict__["rule_name"])

    def _is_for_people(self, record: LogRecord) -> bool:
        """Warnings and errors; that there is nothing to do; after a failure, where the log is.

        That a job's command failed is said by the job's own line.
        """
        text = record.getMessage()
        if self._has_failed and OF_A_JOB in text:
            return False
        told = text.startswith("Nothing to be done") or (
            self._has_failed and text.startswith(LOG_HINT)
        )
        return record.levelno >= WARNING or told
