"""A program of the workflow under watch, and why it ended.

In goes a command; out come its log and, beside it, a record of each attempt: how it ended, why, and
how much memory it took. The record is there while the program runs, so that it also speaks for one
that was killed together with its watcher. Knows nothing of what programs do, nor of Snakemake.
"""

from neus.watch.reasons import reasons_of_failures
from neus.watch.record import Attempt, read_attempts, record_of
from neus.watch.words import last_words

__all__ = ["Attempt", "last_words", "read_attempts", "reasons_of_failures", "record_of"]
