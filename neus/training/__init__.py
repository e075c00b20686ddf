"""Training: pixels of posed photos in, a trained model out.

In go a method, cameras, images and masks in the scene frame; out come a model, its figures, and
checkpoints from which a run goes on as if it had never stopped. ``warm_up`` compiles what steps on
a CPU call. Needs torch, numpy and omegaconf alone (numba on the CPU).
"""

from neus.training.checkpoint import CheckpointFolder, fingerprint
from neus.training.distributed import Processes, joined_processes
from neus.training.evidence import SurfacePoints
from neus.training.graph import GraphedStep
from neus.training.held_out import HeldOutViews
from neus.training.losses import colour_loss, eikonal_loss, mask_loss
from neus.training.of_scene import trainer_of_scene
from neus.training.optimizer import Optimizer
from neus.training.patches import PatchViews
from neus.training.rays import PixelPool
from neus.training.run import RunFigures, TrainingDivergedError, inv_s, run_training
from neus.training.trainer import StepReport, Trainer
from neus.training.validation import LONGEST_SIDE, Validation
from neus.training.work import SECONDS_A_STEP, Work

__all__ = [
    "LONGEST_SIDE",
    "SECONDS_A_STEP",
    "CheckpointFolder",
    "GraphedStep",
    "HeldOutViews",
    "Optimizer",
    "PatchViews",
    "PixelPool",
    "Processes",
    "RunFigures",
    "StepReport",
    "SurfacePoints",
    "Trainer",
    "TrainingDivergedError",
    "Validation",
    "Work",
    "colour_loss",
    "eikonal_loss",
    "fingerprint",
    "inv_s",
    "joined_processes",
    "mask_loss",
    "run_training",
    "trainer_of_scene",
]
