"""What a phone writes beside the pixels: which side is up, and where the photo was taken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from neus.errors import InputError

ORIENTATION, GPS = 0x0112, 0x8825
LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE, ALTITUDE_REF, ALTITUDE = range(1, 7)
CLOCKWISE = {1: 0, 6: 1, 3: 2, 8: 3}
"""Quarter turns to the right for each orientation. Mirrored ones (2, 4, 5, 7) are no photos."""
TURNED = frozenset({".tif", ".tiff"})
"""Kinds whose decoders apply the tag."""


@dataclass(frozen=True)
class Exif:
    """Attributes:
    clockwise: quarter turns to the right that put the stored pixels upright.
    location: latitude and longitude in degrees (WGS84), altitude in metres (0 if it is not
        stated); or None.
    """

    clockwise: int
    location: tuple[float, float, float] | None


def read_exif(path: Path) -> Exif:
    """Read the tags of a photo; those that are missing or damaged count as not there.

    Cameras write JPEG; PNG files are not opened, since their tags may stand behind all pixels.
    TIFF files are turned upright by whatever decodes them.

    Raises:
        InputError: the file is no image.
    """
    if path.suffix.lower() == ".png":
        return Exif(0, None)
    from neus.images import open_with_pillow

    try:
        with open_with_pillow(path) as image:
            tags = image.getexif()
    except OSError as error:
        raise InputError(f"{path} cannot be read: replace the file or leave it out") from error
    turned = 1 if path.suffix.lower() in TURNED else tags.get(ORIENTATION, 1)
    return Exif(CLOCKWISE.get(turned, 0), _location(dict(tags.get_ifd(GPS))))


def _location(gps: dict) -> tuple[float, float, float] | None:
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
