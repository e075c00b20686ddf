"""What Snakemake's rules ask before anything runs.

In goes a configuration as it was written; out come its scans with their paths and references, the
fingerprints of their files, and one sentence for every mistake, in a cluster's profile as well.
Reads headers, never whole images.
"""

from neus.pipeline.budgets import budget_name, budget_of
from neus.pipeline.externals import externals_from_config, own_methods
from neus.pipeline.fingerprints import Adopted, content_fingerprint, earlier_fingerprint
from neus.pipeline.keys import check_keys, sound_part
from neus.pipeline.meshes import check_meshes, given_meshes
from neus.pipeline.partitions import QUESTION, Asked, check_partitions, read_partitions
from neus.pipeline.pictures import pictures_of
from neus.pipeline.preflight import absent_references, check_inputs
from neus.pipeline.recorded import RecordedInt, RecordedText
from neus.pipeline.scans import Scan, lies_in, located, scans_from_config
from neus.pipeline.sizes import DEMO as DEMO_PICTURES
from neus.pipeline.sizes import flight_size, poses_size, stereo_size, training_size, views_size
from neus.pipeline.source_files import source_files, states_split

__all__ = [
    "DEMO_PICTURES",
    "QUESTION",
    "Adopted",
    "Asked",
    "RecordedInt",
    "RecordedText",
    "Scan",
    "absent_references",
    "budget_name",
    "budget_of",
    "check_inputs",
    "check_keys",
    "check_meshes",
    "check_partitions",
    "content_fingerprint",
    "earlier_fingerprint",
    "externals_from_config",
    "flight_size",
    "given_meshes",
    "lies_in",
    "located",
    "own_methods",
    "pictures_of",
    "poses_size",
    "read_partitions",
    "scans_from_config",
    "sound_part",
    "source_files",
    "states_split",
    "stereo_size",
    "training_size",
    "views_size",
]
