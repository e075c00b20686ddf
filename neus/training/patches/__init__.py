"""Patches of the surface compared between photos: which photos there are, and a step's comparison.

In go the training views, and in each step rays with the distances of their samples; out come costs
that are differentiable by the field, and how far each counts.
"""

from neus.training.patches.comparison import ComparedPatches, compare_patches
from neus.training.patches.views import PatchViews

__all__ = ["ComparedPatches", "PatchViews", "compare_patches"]
