# What the rules share: the checked configuration, the names of files, the way programs are called.
import functools
import hashlib
import json
import re
import shlex
import sys
from pathlib import Path

from snakemake.io import IOFile
from snakemake.utils import validate

from neus.config import identity_as_yaml, load_method
from neus.console import PLAN, Costs, PlannedJob, write_plan
from neus.errors import Faults, InputError
from neus.files import Facts
from neus.images import is_video
from neus.pipeline import (
    DEMO_PICTURES,
    QUESTION,
    Adopted,
    Asked,
    RecordedInt,
    RecordedText,
    absent_references,
    budget_name,
    budget_of,
    check_inputs,
    check_keys,
    check_meshes,
    check_partitions,
    content_fingerprint,
    earlier_fingerprint,
    externals_from_config,
    flight_size,
    given_meshes,
    lies_in,
    located,
    own_methods,
    pictures_of,
    poses_size,
    read_partitions,
    scans_from_config,
    sound_part,
    source_files,
    states_split,
    stereo_size,
    training_size,
    views_size,
)
from neus.placement import GPS
from neus.watch import reasons_of_failures

PROJECT = Path(workflow.basedir)
METHODS = PROJECT / "config" / "methods"
BUDGETS = PROJECT / "config" / "budgets"
SCHEMA = PROJECT / "workflow" / "schemas" / "config.schema.yaml"
SCRIPTS = PROJECT / "scripts"

# What is known of files, and of scans that version 0.1 finished: with Snakemake's own records.
FACTS = Facts(Path(".snakemake/neus-files.json"))
ADOPTED = Adopted(Path(".snakemake/neus-adopted.json"))
# What was read of posed scans, by their names: once, whoever asks.
CAPTURES = {}


def warn(sentence):
    print(f"warning: {sentence}", file=sys.stderr)


def trains_on_card(settings):
    device = settings["device"]
    return device == "cuda" or (device == "auto" and Path("/dev/nvidia0").exists())


def is_given_card(settings):
    """Whether networks get a card, here or by a scheduler, on whose nodes this file is read again."""
    is_sent = workflow.remote_exec or workflow.non_local_exec
    return trains_on_card(settings) or (settings["device"] == "auto" and is_sent)


faults, sound = Faults(), config
with faults.noted():
    check_keys(config, SCHEMA)
if faults.sentences:  # and what is wrong with the scans, in the same round
    sound = sound_part(config, SCHEMA)
if sound is not None:
    ASKED_RESOLUTION = sound.get("mesh", {}).get("resolution")  # before the defaults are filled in
    validate(sound, str(SCHEMA))  # cannot fail any more: it fills in the defaults
    with faults.noted():
        scans = scans_from_config(sound)
        with faults.noted():
            meshes = given_meshes(sound, scans)
            check_meshes(meshes)
        with faults.noted():
            EXTERNALS = externals_from_config(sound, scans)
        if workflow.is_main_process:  # a job on a cluster's node reads this file again
            methods = [METHODS / f"{name}.yaml" for name in own_methods(sound)]
            results = Path(sound["results"])
            budget = budget_name(sound["budget"], [], has_card=is_given_card(sound))
            budget = budget and BUDGETS / f"{budget}.yaml"
            known = {"facts": FACTS, "captures": CAPTURES}
            check_inputs(scans, methods, results=results, report=warn, budget=budget, **known)
            for sentence in absent_references(scans):
                warn(sentence)
try:
    faults.raise_any()
except InputError as error:
    sys.exit(f"error: {error}")

SCANS = {scan.name: scan for scan in scans}
MESHES = {(mesh.scan, mesh.name): mesh for mesh in meshes}
DEMOS = {scan.name: scan.path for scan in scans if scan.source == "demo"}
WANTED = [scan.name for scan in scans if scan.is_wanted]
RUNS = {"scan": WANTED, "method": own_methods(config), "seed": config["seeds"]}

RESULTS = config["results"]
SCAN = f"{RESULTS}/{{scan}}"
RUN = f"{SCAN}/{{method}}/seed{{seed}}"

# More than a machine has: Snakemake cuts it down to --cores. A profile for a cluster sets its own.
ALL_CORES = 64
# What a network takes: a card and a few cores, or every core. Cards are counted on each machine.
GPU = 0 if config["device"] == "cpu" else 1
NETWORK_CORES = 8 if trains_on_card(config) else ALL_CORES


resource_scopes:
    gpu="local",


# Programs run with the interpreter that runs Snakemake.
BIN = Path(sys.executable).parent
shell.prefix("export PATH={BIN:q}:$PATH; source {PROJECT:q}/workflow/shell.sh; ")


def one_of(names):
    """A wildcard's pattern that matches these names alone."""
    return "|".join(map(re.escape, names)) or "(?!)"


def options(**values):
    """Arguments of a program: `--key value`, `--key` or `--no-key`; nothing for None."""
    words = []
    for key, value in values.items():
        name = key.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{name}" if value else f"--no-{name}")
        elif value is not None:
            words += [f"--{name}", str(value)]
    return shlex.join(words)


def evaluation_options(wildcards):
    reference = SCANS[wildcards.scan].reference
    if reference.absence is not None:
        return options(absence=reference.absence, culling=wildcards.culling)
    return options(
        reference=reference.path,
        reference_root=reference.root,
        scan=reference.scan,
        tanks=reference.scene,
        trajectory=reference.trajectory,
        culling=wildcards.culling,
        known_cameras=reference.cameras,
        samples=config["evaluation"]["samples"],
        threshold=config["evaluation"]["threshold"],
        absolute_threshold=reference.threshold,
    )


def measured_runs(pattern):
    """A pattern filled in for every run, once for each culling of its scan; programs of others
    stand after our methods."""
    return [
        filled
        for scan in WANTED
        for filled in expand(
            pattern,
            scan=scan,
            method=RUNS["method"] + [m.name for m in EXTERNALS.values() if scan in m.scans],
            seed=RUNS["seed"],
            culling=SCANS[scan].reference.culling,
        )
    ]


def show(path):
    """Print a file, if it was made already."""
    if Path(path).exists():
        print(f"\n{Path(path).read_text()}")
