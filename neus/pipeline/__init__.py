"""What Snakemake's rules ask before anything runs.

In goes a configuration as it was written; out come its scans with their paths and references, the
fingerprints of their files, and one sentence for every mistake. Reads headers, never whole images.
"""

from neus.pipeline.preflight import absent_references, check_inputs, check_keys
from neus.pipeline.scans import Scan, fingerprint, lies_in, scans_from_config

__all__ = [
    "Scan",
    "absent_references",
    "check_inputs",
    "check_keys",
    "fingerprint",
    "lies_in",
    "scans_from_config",
]
