"""A trained model's file, and the model ready for use."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neus.config import BACKGROUNDS, MethodConfig, load_method
from neus.errors import InputError
from neus.files import written_whole
from neus.mesh import Mesh
from neus.mesh.isosurface import EmptySurface, extract_isosurface
from neus.models.kinds import Model, new_model
from neus.models.neus import NeuS
from neus.models.operators import operators_for
from neus.models.schedule import Stage, stage_at
from neus.models.views import View, render_surroundings, render_view
from neus.rendering import DensityGrid, OccupancyGrid
from neus.scene import Cameras

if TYPE_CHECKING:
    from jaxtyping import Float

FORMAT = 2
"""Of the model file; raised whenever older files cannot be read any more."""


@dataclass(frozen=True)
class TrainedModel:
    """A model at the step it was saved at, with an occupancy grid made from its own weights.

    A density's grid is its own: it remembers what no weights tell.

    Attributes:
        surface_distance: of a mesh's surface from where the distance is 0, in scene units.
    """

    model: Model
    method: MethodConfig
    stage: Stage
    occupancy: OccupancyGrid | DensityGrid
    backend: ModuleType
    device: torch.device
    surface_distance: float = 0.0

    def view(self, cameras: Cameras, index: int) -> View:
        """Render what a camera (in the scene frame) sees, over the method's background."""
        grey = BACKGROUNDS[self.method.model.background]
        return render_view(
            self.model, self.occupancy.state, self.stage, self.backend, cameras, index, grey
        )

    def expected_seconds(self, pixels: int) -> float:
        """Of rendering so many, roughly, on two cores: what counts is how such figures compare."""
        return 4.2e-6 * pixels * (1.0 if self.model.outside is None else 3.5)

    def surroundings(self, cameras: Cameras, index: int) -> Float[np.ndarray, "h w 3"] | None:
        """What a camera would see without all that lies in the unit sphere.

        None where no background is learned.
        """
        if self.model.outside is None:
            return None
        return render_surroundings(
            self.model.outside, self.stage, self.backend, cameras, index, self.device
        )

    def distance(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n"]:
        """Signed distance at points of the scene frame; of a density, what has its sign."""
        x, levels = self._tensor(points), self.stage.active_levels
        if isinstance(self.model, NeuS):
            return self.model.sdf.distance(x, self.backend, levels).cpu().numpy()
        return self.model.thinness(x, self.stage, self.backend).cpu().numpy()

    def set_surface_density(self, density: float) -> None:
        """Let a mesh enclose what is denser, per scene unit, whatever the method says.

        Raises:
            InputError: the model is a distance, or ``density`` is not positive.
        """
        if isinstance(self.model, NeuS):
            raise InputError("a surface density is for model.kind: nerf; a distance has its zero")
        if density <= 0:
            raise InputError(f"the surface density {density:g} is not positive")
        self.model.surface_density = density

    def with_surface_distance(self, distance: float) -> TrainedModel:
        """The model whose mesh lies so far outside of its surface, or inside where it is negative.

        Raises:
            InputError: the model is a density.
        """
        if not isinstance(self.model, NeuS):
            raise InputError("a surface distance is for model.kind: neus; a density has its own")
        return replace(self, surface_distance=distance)

    def surface(
        self,
        resolution: int,
        advance: Callable[[str, float], None] = lambda part, share: None,
    ) -> Mesh:
        """What the model holds to be the object's surface, in the scene frame.

        Args:
            resolution: cells of marching cubes along a side of the cube around the unit sphere.
            advance: as of :func:`neus.mesh.isosurface.extract_isosurface`.

        Raises:
            EmptySurface: there is none.
            InputError: the field is not finite, or ``resolution`` is not positive.
        """
        if isinstance(self.model, NeuS):
            at = self.surface_distance
            found = extract_isosurface(
                lambda x: self.distance(x) - at, resolution, lipschitz=2.0, advance=advance
            )
            return Mesh(*found)
        least = math.inf

        def watched(points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n"]:
            nonlocal least
            values = self.distance(points)
            least = min(least, float(values.min()))
            return values

        try:
            found = extract_isosurface(watched, resolution, lipschitz=math.inf, advance=advance)
            return Mesh(*found)
        except EmptySurface:
            threshold = self.model.surface_density
            raise EmptySurface(
                f"no surface: the density reaches {threshold * math.exp(-least):.3g} per scene "
                f"unit, and a mesh encloses what is above {threshold:g} "
                "(model.density.surface_density): lower it, which extract_mesh.py "
                "--surface-density does without training again; train for more steps; check the "
                "masks and the normalisation"
            ) from None

    def normals(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
        """Unit normals of the field at points of the scene frame; zeros of a density."""
        x = self._tensor(points)
        if not isinstance(self.model, NeuS):
            return np.zeros_like(points)
        return self.model.geometry(x, self.stage, self.backend)[1].cpu().numpy()

    def colours(
        self, points: Float[np.ndarray, "n 3"], normals: Float[np.ndarray, "n 3"]
    ) -> Float[np.ndarray, "n 3"]:
        """RGB of surface points, each as seen face on."""
        x, directions = self._tensor(points), self._tensor(-normals)
        return self.model.colours(x, directions, self.stage, self.backend).cpu().numpy()

    def _tensor(self, rows: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float32)).to(self.device)


def save_model(
    path: Path,
    model: Model,
    method: MethodConfig,
    step: int,
    seed: int,
    code: str | None = None,
) -> None:
    """Write everything that :func:`load_model` needs, whole or not at all.

    ``code`` says what trained it, see :func:`neus.files.code_snapshot`; nothing reads it.
    """
    content = {
        "format": FORMAT,
        "method": asdict(method),
        "step": step,
        "seed": seed,
        "model": model.state_dict(),
        "code": code,
    }
    with written_whole(path) as partial:
        torch.save(content, partial)


def load_model(path: Path, device: torch.device) -> TrainedModel:
    """Read a model, or a running checkpoint as the model of its step; fill its occupancy grid.

    Raises:
        InputError: the file is missing, is no model, or is of another format.
    """
    content = read_content(path, device)
    method = load_method(None, content["method"])
    model = new_model(method.model, torch.Generator()).to(device)
    model.load_state_dict(content["model"])
    return ready(model, method, content["step"], device)


def read_content(path: Path, device: torch.device) -> dict[str, Any]:
    """What :func:`save_model` wrote, or of a checkpoint the same: ``method``, ``step``, ``model``.

    Raises:
        InputError: the file is missing, is no model, or is of another format.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist: train the model first")
    try:
        content = torch.load(path, map_location=device, weights_only=True)
        found = content["format"]
    except Exception as error:
        raise InputError(f"{path} is not a model file ({type(error).__name__})") from error
    if found != FORMAT:
        raise InputError(f"{path} has format {found}, this version reads {FORMAT}: train it again")
    return content | content.get("state", {}).get("trainer", {})  # of a checkpoint: step and model


def ready(model: Model, method: MethodConfig, step: int, device: torch.device) -> TrainedModel:
    """A model as it stands after ``step`` training steps, ready to be asked."""
    stage = stage_at(method.model, step, method.training.steps)
    backend = operators_for(replace(method, backend="auto"), device)
    if not isinstance(model, NeuS):
        return TrainedModel(model, method, stage, model.occupancy, backend, device)
    marching = method.model.marching
    occupancy = OccupancyGrid(marching.occupancy_resolution, marching.margin, device)
    occupancy.update(
        lambda x: model.sdf.distance(x, backend, stage.active_levels),
        float(model.bounded_inv_s(stage).detach()),
    )
    return TrainedModel(model, method, stage, occupancy, backend, device)
