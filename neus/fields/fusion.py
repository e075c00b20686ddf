"""What of a method the fused operators cannot do."""

from __future__ import annotations

from neus.config import ModelConfig, RadianceConfig


def unfused_field(model: ModelConfig) -> list[str]:
    """Keys of the distance field for which all of it runs in plain torch.

    Depth, width, weight normalisation, the identity's scale and offset, an inside-out sphere and
    differences of any kind run on every backend. A density has no such keys.
    """
    if model.kind != "neus":
        return []
    sdf, grid = model.sdf, model.hash_grid
    options = {
        f"model.sdf.encoding: {sdf.encoding}": sdf.encoding != "hash_grid",
        f"model.sdf.activation: {sdf.activation}": sdf.activation != "softplus",
        f"model.hash_grid.features: {grid.features}": grid.features != 2,
    }
    return [option for option, unfused in options.items() if unfused]


def unfused_shading(radiance: RadianceConfig) -> list[str]:
    """Keys of the radiance field for which its network alone runs in plain torch.

    Depth, width, weight normalisation and the directions' encoding run on every backend.
    """
    options = {
        f"model.radiance.activation: {radiance.activation}": radiance.activation != "relu",
        f"model.radiance.output: {radiance.output}": radiance.output != "sigmoid",
        "model.radiance.normals: false": not radiance.normals,
        "model.radiance.positions: false": not radiance.positions,
    }
    return [option for option, unfused in options.items() if unfused]
