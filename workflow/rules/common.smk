# What the rules share: the checked configuration, the names of files, the way programs are called.
import hashlib
import json
import re
import shlex
import sys
from pathlib import Path

from snakemake.utils import validate

from neus import preflight
from neus.config import load_method, method_as_yaml
from neus.errors import InputError
from neus.scans import fingerprint, lies_in, scans_from_config

PROJECT = Path(workflow.basedir)
METHODS = PROJECT / "config" / "methods"
SCHEMA = PROJECT / "workflow" / "schemas" / "config.schema.yaml"
SCRIPTS = PROJECT / "scripts"

try:
    preflight.check_keys(config, SCHEMA)
    validate(config, str(SCHEMA))  # cannot fail any more: it fills in the defaults
    scans = scans_from_config(config)
    if workflow.is_main_process:  # a job on a cluster's node reads this file again
        preflight.check_inputs(scans, [METHODS / f"{name}.yaml" for name in config["methods"]])
except InputError as error:
    sys.exit(f"error: {error}")

SCANS = {scan.name: scan for scan in scans}
DEMOS = {scan.name: scan.path for scan in scans if scan.source == "demo"}
RUNS = {"scan": SCANS, "method": config["methods"], "seed": config["seeds"]}

RESULTS = config["results"]
SCAN = f"{RESULTS}/{{scan}}"
RUN = f"{SCAN}/{{method}}/seed{{seed}}"
FIGURES = [f"{RUN}/{name}.json" for name in ["views", "mesh", "train"]]

# More than a machine has: Snakemake cuts it down to --cores. A profile for a cluster sets its own.
ALL_CORES = 64
# What a network takes: a card and a few cores, or every core. Cards are counted on each machine.
HAS_CARD = config["device"] == "cuda" or Path("/dev/nvidia0").exists()
GPU = 0 if config["device"] == "cpu" else 1
NETWORK_CORES = 8 if GPU and HAS_CARD else ALL_CORES


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


def made_or_given(path):
    """What a rule that reads `path` waits for: the demo that makes it, or the path itself.

    A folder may be of any age, which says nothing about its files; their fingerprint, a param, does.
    """
    made = [folder for folder in DEMOS.values() if lies_in(path, [folder])]
    if made:
        return str(made[0])
    return ancient(str(path)) if path.is_dir() else str(path)


def source(wildcards):
    return made_or_given(SCANS[wildcards.scan].path)


def source_fingerprint(wildcards):
    path = SCANS[wildcards.scan].path
    return None if lies_in(path, DEMOS.values()) else fingerprint(path)


def pose_options(wildcards):
    scan = SCANS[wildcards.scan]
    masks = scan.path if scan.masks else None
    return options(images=scan.path, masks=masks, max_size=config["poses"]["max_size"])


def poses(wildcards):
    """Estimated cameras, for a scan that comes without any."""
    return f"{SCAN}/poses" if SCANS[wildcards.scan].source == "photos" else []


def scene_options(wildcards, input):
    scan = SCANS[wildcards.scan]
    return options(
        source=scan.source,
        path=scan.path,
        model=input.get("poses") or None,
        downscale=scan.downscale,
        masks=scan.masks,
        holdout=scan.holdout,
    )


def method_fingerprint(wildcards):
    """Of every key of the method, defaults too: a change of any trains anew, a comment does not."""
    path = METHODS / f"{wildcards.method}.yaml"
    method = method_as_yaml(load_method(path, SCANS[wildcards.scan].overrides))
    return hashlib.sha256(method.encode()).hexdigest()[:16]


def reference_paths(wildcards):
    """The files of the reference and the folder of the known cameras, as far as there are any."""
    reference = SCANS[wildcards.scan].reference
    cameras = [reference.cameras] if reference.cameras else []
    return list(dict.fromkeys(made_or_given(path) for path in [*reference.files, *cameras]))


def evaluation_options(wildcards):
    reference = SCANS[wildcards.scan].reference
    return options(
        reference=reference.path,
        reference_root=reference.root,
        scan=reference.scan,
        known_cameras=reference.cameras,
        **config["evaluation"],
    )


def show(path):
    """Print a file, if it was made already."""
    if Path(path).exists():
        print(f"\n{Path(path).read_text()}")
