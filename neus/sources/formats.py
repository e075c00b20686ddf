"""What is read, dialect by dialect: the table that docs/formats.md shows and the tests run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """Attributes:
    name: of the program or data set that writes it.
    source: the key ``source`` of a scan.
    files: that are read, below the scan's folder.
    read: what is taken from them, and how.
    """

    name: str
    source: str
    files: str
    read: str


FORMATS = (
    Format(
        "photos",
        "photos",
        "`images/`, `image/` or the folder itself, and folders below; `masks/`",
        "poses are estimated; EXIF gives focal length, orientation and place",
    ),
    Format(
        "a video",
        "photos",
        "the file that `path` names",
        "its sharpest frames, upright, whole, tones of HDR pressed into plain ones",
    ),
    Format(
        "instant-ngp",
        "nerfstudio",
        "`transforms.json`, images, RGBA or not",
        "`fl_x`, `camera_angle_x` or `x_fov`; names without suffix; `aabb_scale` and `scale` are "
        "its own affair",
    ),
    Format(
        "nerfstudio",
        "nerfstudio",
        "`transforms.json`, images, masks, `sparse_pc.ply`",
        "`applied_transform` and `applied_scale` are undone; `mask_path`, the three lists of "
        "names, `ply_file_path`",
    ),
    Format(
        "Record3D, Polycam, KIRI, Luma",
        "nerfstudio",
        "`transforms.json` of their export or of nerfstudio's converter",
        "intrinsics in each frame or once, or as a matrix",
    ),
    Format(
        "Metashape, RealityCapture",
        "nerfstudio",
        "`transforms.json` of a converter",
        "intrinsics of each frame over the shared ones; `k1` to `k4`, `p1`, `p2`",
    ),
    Format(
        "BlenderNeRF, NeRF-synthetic",
        "blender",
        "`transforms_train.json`, `transforms_test.json`, RGBA images",
        "alpha is the mask; test frames are held out, or are a flight if none has an image",
    ),
    Format(
        "NeuS2",
        "nerfstudio",
        "`transforms.json` with `from_na` and `intrinsic_matrix`",
        "OpenCV's axes; the matrix of each frame; alpha is the mask",
    ),
    Format(
        "SDFStudio",
        "nerfstudio",
        "`meta_data.json`, `*_rgb.png`, `*_foreground_mask.png`",
        "OpenCV's axes; `worldtogt` leads to the source frame; `scene_box.radius` is the sphere",
    ),
    Format(
        "COLMAP, text",
        "colmap",
        "`sparse/`, `sparse/0` … with `cameras.txt`, `images.txt`; `points3D.txt`, `rigs.txt`, "
        "`frames.txt`",
        "names with blanks; any lens; points that three images see, or all if none has a track",
    ),
    Format(
        "COLMAP, binary",
        "colmap",
        "the same as `.bin`",
        "the same; of several models the one with the most images",
    ),
    Format(
        "NeuS, IDR (DTU)",
        "dtu",
        "`image/`, `mask/`, `cameras_sphere.npz`, `cameras.npz` or `cameras_large.npz`",
        "`world_mat_i` by any numbers; `scale_mat_i` is the sphere; pixel centres at integers",
    ),
    Format(
        "Middlebury",
        "middlebury",
        "`*_par.txt` and its images",
        "K, R, t; the masks are what is not black; pixel centres at integers",
    ),
    Format("Strecha", "strecha", "images and `{image}.camera`", "K, rotation, centre, in metres"),
)


def formats_table() -> str:
    """The table in Markdown."""
    rows = [f"| {f.name} | `{f.source}` | {f.files} | {f.read} |" for f in FORMATS]
    return "\n".join(
        ["| written by | `source` | files | what is read |", "|---|---|---|---|", *rows]
    )
