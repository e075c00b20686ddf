"""Models: fields, the renderer, and the schedules that belong to them.

In go rays of the scene frame and the stage of training; out come colours, opacities, normals and
distances, whole views, and isosurfaces in the scene frame. A model file holds all that these need.
"""

from neus.models.appearance import AffineColours
from neus.models.kinds import Model, new_model
from neus.models.nerf import NeRF
from neus.models.neus import NeuS
from neus.models.operators import operators_for, unfused_notice
from neus.models.outside import LEAST_LIGHT, OutsideField, Surroundings
from neus.models.rendering import Rendering, SurfaceRendering
from neus.models.schedule import Stage, stage_at
from neus.models.trained import FORMAT, TrainedModel, load_model, ready, save_model
from neus.models.views import View, geometry_pictures
from neus.models.weights import start_from

__all__ = [
    "FORMAT",
    "LEAST_LIGHT",
    "AffineColours",
    "Model",
    "NeRF",
    "NeuS",
    "OutsideField",
    "Rendering",
    "Stage",
    "SurfaceRendering",
    "Surroundings",
    "TrainedModel",
    "View",
    "geometry_pictures",
    "load_model",
    "new_model",
    "operators_for",
    "ready",
    "save_model",
    "stage_at",
    "start_from",
    "unfused_notice",
]
