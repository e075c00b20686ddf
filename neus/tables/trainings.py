"""Which training each figure is of: that of the surface, or one that left held-out views out."""

from __future__ import annotations

from typing import Any

import pandas as pd

from neus.tables.rows import MEAN, RUN_HERE, STD

Record = dict[str, Any]


def trainings(rows: pd.DataFrame) -> list[str]:
    """A sentence for each way of training: how many images which figures learnt from.

    Args:
        rows: of `collect_rows`; means and deviations among them do not count.
    """
    records: list[Record] = rows.to_dict("records")  # pyright: ignore
    known = [
        record
        for record in records
        if not pd.isna(record["images_train"])
        and record["scan"] != MEAN
        and record["seed"] not in (MEAN, STD)
    ]
    of_one = [record for record in known if not is_apart(record)]
    of_two = [record for record in known if is_apart(record)]
    sentences = []
    if of_one:
        counts = _counts(
            [f"{int(record['images_train'])} of {images(record)}" for record in of_one]
        )
        scans = ", ".join(dict.fromkeys(record["scan"] for record in of_one))
        start = f"{scans}: all" if of_two else "All"
        sentences.append(f"{start} figures are of one training, on {counts} images.")
    if of_two:
        every = _counts([str(int(record["images_train"])) for record in of_two])
        without = _counts([str(int(record["images_train_views"])) for record in of_two])
        sentences += [
            f"Surface, seconds and PSNR train are of a training on all {every} images;",
            f"all other figures of views are of a second one, on {without} of them.",
        ]
    return sentences


def is_apart(record: Record) -> bool:
    """Whether the figures of views are of a training of their own."""
    counts = [record["images_train"], record["images_train_views"]]
    return not any(pd.isna(count) for count in counts) and counts[0] != counts[1]


def learnt_from(records: list[Record], counted: str) -> list[str]:
    """How many of the images our trainings learnt from.

    Args:
        counted: the column that counts them.
    """
    known = [record for record in records if not pd.isna(record[counted])]
    counts = _counts([f"{int(record[counted])} of {images(record)}" for record in known])
    others = any(record["origin"] == RUN_HERE for record in known)
    who = "Ours, and what was run here," if others else "Ours"
    return [f"{who} learnt from {counts} images."] if known else []


def images(record: Record) -> int:
    """Of the scan, held out or not."""
    held_out = record["images_test"]
    return int(record["images_train_views"]) + (0 if pd.isna(held_out) else int(held_out))


def _counts(texts: list[str]) -> str:
    return ", ".join(dict.fromkeys(texts))
