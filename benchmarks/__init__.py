"""Measurements, run from the root of the repository; results go to ``benchmarks/results``."""

import neus  # noqa: F401  (first, since it sets what torch reads when it is loaded)
