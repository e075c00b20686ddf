"""Why photos could not be placed: their pairs say more than a mapper that gives up."""

from __future__ import annotations

from pathlib import Path

from neus.sources import import_pycolmap

FLAT_SHARE = 0.5
"""Of the pairs that match: so many without depth explain why nothing could be placed."""


def why_unplaced(database: Path, folder: Path) -> str:
    """A sentence with the cause and the remedy.

    Args:
        database: COLMAP database with two-view geometries.
        folder: of the photos, to be named.
    """
    pycolmap = import_pycolmap()
    kinds = pycolmap.TwoViewGeometryConfiguration
    flat = {int(kinds.PANORAMIC), int(kinds.PLANAR), int(kinds.PLANAR_OR_PANORAMIC)}
    with pycolmap.Database.open(database) as content:
        pairs = [int(geometry.config) for geometry in content.read_two_view_geometries()[1]]
    if not pairs:
        return (
            f"no two photos in {folder} show the same thing: take sharp photos that overlap by two "
            "thirds, of something with texture"
        )
    if sum(kind in flat for kind in pairs) > FLAT_SHARE * len(pairs):
        return (
            f"the photos in {folder} show no depth: they were taken from one place, or of one flat "
            "thing; walk around the object, and let its surroundings be seen, too"
        )
    return (
        f"no poses could be estimated from the photos in {folder}: take sharp photos that overlap "
        "by two thirds, of something with texture"
    )
