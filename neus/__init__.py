"""Photos to measured surfaces: NeuS with a multiresolution hash grid, from poses to figures."""

import os

# Before anything loads an OpenMP runtime: idle threads must sleep, not spin. torch and numba bring
# one runtime each, and two spinning pools on the same cores triple the time of a step.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

__version__ = "0.1.0"
