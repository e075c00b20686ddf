"""What a phone writes beside the pixels: where the photo was taken."""

from __future__ import annotations

from pathlib import Path

from neus.errors import InputError
from neus.images import exif_tags

GPS = 0x8825
LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE, ALTITUDE_REF, ALTITUDE = range(1, 7)


Place = tuple[float, float, float]
"""Latitude and longitude in degrees (WGS84), altitude in metres (0 if it is not stated)."""


def read_location(path: Path) -> Place | None:
    """Where a photo was taken, by its EXIF tags; None if they do not say.

    Raises:
        InputError: the file is no image.
    """
    try:
        return _location(dict(exif_tags(path).get_ifd(GPS)))
    except OSError as error:
        raise InputError(f"{path} cannot be read: replace the file or leave it out") from error


def _location(gps: dict) -> Place | None:
    try:
        latitude = _degrees(gps[LATITUDE]) * (-1 if gps.get(LATITUDE_REF) == "S" else 1)
        longitude = _degrees(gps[LONGITUDE]) * (-1 if gps.get(LONGITUDE_REF) == "W" else 1)
        below_sea = gps.get(ALTITUDE_REF) in (1, b"\x01")
        altitude = float(gps.get(ALTITUDE, 0)) * (-1 if below_sea else 1)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return latitude, longitude, altitude


def _degrees(parts: tuple) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return degrees + minutes / 60 + seconds / 3600
