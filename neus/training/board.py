"""What TensorBoard's curves are called."""

from __future__ import annotations

THERE = {
    "colour": "loss_rgb",
    "inv_s": "inv_s",
    "rays": "num_rays",
    "distortion_outside": "loss_distortion_bg",
    **{
        name: f"loss_{name}"
        for name in ("eikonal", "mask", "opaque", "sparsity", "curvature", "distortion")
    },
}
"""Names below ``train/`` in instant-nsr-pl, by columns of the journal."""


def curves_of(record: dict[str, float], names: str) -> dict[str, float]:
    """Values of a record by the names of their curves: ``own``, or as ``instant-nsr-pl`` has them.

    There the squared error of colours is a curve, which is ``10^(-psnr / 10)`` here; what it does
    not know stands below ``train/``, too.
    """
    values = {name: value for name, value in record.items() if name != "step"}
    if names == "own":
        return values
    squared = {"train/loss_rgb_mse": 10 ** (-values.pop("psnr") / 10)} if "psnr" in values else {}
    values.pop("colour_squared", None)  # the same, of counted rays
    return squared | {f"train/{THERE.get(name, name)}": value for name, value in values.items()}
