"""What a person sees while Snakemake runs: one line a job, and how long all of it will take.

In go the jobs that a run will do (written by the workflow before the first of them), what Snakemake
says of each, and the small files of ``neus.progress``; out come lines that renew themselves on a
terminal, and plain lines with the time in a log. Knows nothing of Snakemake but these words.
"""

from neus.console.costs import Costs
from neus.console.lines import Console
from neus.console.painter import painter_for
from neus.console.plan import FORETOLD, PLAN, Plan, PlannedJob, read_plan, write_plan
from neus.console.timeline import Timeline
from neus.console.words import about, exactly

__all__ = [
    "FORETOLD",
    "PLAN",
    "Console",
    "Costs",
    "Plan",
    "PlannedJob",
    "Timeline",
    "about",
    "exactly",
    "painter_for",
    "read_plan",
    "write_plan",
]
