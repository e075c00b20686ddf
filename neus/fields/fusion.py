"""What of a method the fused operators cannot do."""

from __future__ import annotations

from neus.config import ModelConfig, RadianceConfig


def unfused_field(model: ModelConfig) -> list[str]:
    """Keys of the distance field for which all of it runs in plain torch.

    Depth, width, weight normalisation, the identity's scale and offset, an inside-out sphere and
    differences of any kind run on every backend.
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


def unfused_density(model: ModelConfig) -> list[str]:
    """Keys of densities for which grid and network of that density run in plain torch."""
    grids = {"model.hash_grid": model.hash_grid} if model.kind == "nerf" else {}
    if model.background == "learned":
        grids["model.outside.hash_grid"] = model.outside.hash_grid
    return [
        f"{name}.features: {grid.features}" for name, grid in grids.items() if grid.features != 2
    ]


def unfused_colours(model: ModelConfig) -> list[str]:
    """Keys of all networks of colour for which such a network alone runs in plain torch."""
    options = [] if model.kind == "nerf" else unfused_shading(model.radiance)
    of_densities = {"model.radiance": model.radiance} if model.kind == "nerf" else {}
    if model.background == "learned":
        of_densities["model.outside.radiance"] = model.outside.radiance
    for name, radiance in of_densities.items():
        options += [f"{name}.activation: {radiance.activation}"] * (radiance.activation != "relu")
        options += [f"{name}.output: {radiance.output}"] * (radiance.output != "sigmoid")
    return options


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
