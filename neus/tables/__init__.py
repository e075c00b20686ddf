"""Results tables: figures of all runs in one place, and beside the published ones.

In go the JSON files of runs and the papers' figures; out come rows with their means and deviations,
as CSV, Markdown, LaTeX and text. Lengths keep the unit of their scan, which stands beside them.
"""

from neus.tables.formats import Cell, Table, to_latex, to_markdown, to_text
from neus.tables.found import found_runs, given_meshes
from neus.tables.long import FILES, MAIN, results_table
from neus.tables.papers import Section, papers_sections
from neus.tables.published import Published, load_published
from neus.tables.rows import GIVEN, RUN_HERE, Run, collect_rows, write_csv
from neus.tables.summaries import summaries

__all__ = [
    "FILES",
    "GIVEN",
    "MAIN",
    "RUN_HERE",
    "Cell",
    "Published",
    "Run",
    "Section",
    "Table",
    "collect_rows",
    "found_runs",
    "given_meshes",
    "load_published",
    "papers_sections",
    "results_table",
    "summaries",
    "to_latex",
    "to_markdown",
    "to_text",
    "write_csv",
]
