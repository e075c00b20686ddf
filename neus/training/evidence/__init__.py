"""What stereo knows of the surface, and what is asked where it knows nothing.

In goes the fused cloud of the training views; out come, step by step, points on the surface with
free space before them, and places beside samples with how little is known there.
"""

from neus.training.evidence.sightings import Sightings, SurfacePoints
from neus.training.evidence.smoothness import Ignorance, places_aside

__all__ = ["Ignorance", "Sightings", "SurfacePoints", "places_aside"]
