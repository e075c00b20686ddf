"""Results table: figures of all runs in one place, and beside the published ones."""

from neus.tables.formats import Cell, Table, to_latex, to_markdown, to_text
from neus.tables.published import benchmark_table, load_published
from neus.tables.rows import Run, collect_rows, results_table, write_csv

__all__ = [
    "Cell",
    "Run",
    "Table",
    "benchmark_table",
    "collect_rows",
    "load_published",
    "results_table",
    "to_latex",
    "to_markdown",
    "to_text",
    "write_csv",
]
