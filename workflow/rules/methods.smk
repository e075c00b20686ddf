# What a run is trained with: its method and budget, the images, and what stereo found.


@functools.cache
def budget_of_run(scan, method, seed):
    """The name of the budget that a run takes; None where its method says all."""
    run = RUN.format(scan=scan, method=method, seed=seed)
    runs = [Path(run, "run"), Path(run, "held-out/run")] if config["budget"] == "auto" else []
    return budget_name(config["budget"], runs, has_card=is_given_card(config))


def budget_file(wildcards):
    """Of that budget."""
    name = budget_of_run(wildcards.scan, wildcards.method, wildcards.seed)
    return None if name is None else BUDGETS / f"{name}.yaml"


def run_budget(wildcards):
    name = budget_of_run(wildcards.scan, wildcards.method, wildcards.seed)
    return None if name is None else budget_of(name, wildcards.method, BUDGETS)


def mesh_resolution(wildcards):
    """What the configuration asks for; else what the budget does. Recorded with the threshold."""
    budget, resolution = run_budget(wildcards), config["mesh"]["resolution"]
    if ASKED_RESOLUTION is None and budget is not None and budget.resolution is not None:
        resolution = budget.resolution
    threshold = options(**surface_threshold(wildcards))
    return RecordedInt(resolution, threshold) if threshold else resolution


@functools.cache
def resolved(name, overrides, budget):
    """A method by its name, overrides as JSON, and a budget's name or None; and its fingerprint.

    Every job of a run asks, and most runs of a benchmark ask the same: a DAG of thousands of jobs
    reads each once.
    """
    laid_over = None if budget is None else budget_of(budget, name, BUDGETS)
    method = load_method(METHODS / f"{name}.yaml", json.loads(overrides), laid_over)
    return method, hashlib.sha256(identity_as_yaml(method).encode()).hexdigest()[:16]


@functools.cache
def overrides_of(name):
    """Those of a scan, as JSON."""
    return json.dumps(SCANS[name].overrides)


def resolved_for(wildcards):
    budget = budget_of_run(wildcards.scan, wildcards.method, wildcards.seed)
    return resolved(wildcards.method, overrides_of(wildcards.scan), budget)


def surface_threshold(wildcards):
    """Options of the program: where the mesh lies, where the configuration says so."""
    of_distance = method_of(wildcards).model.kind == "neus"
    name = "surface_distance" if of_distance else "surface_density"
    return {name: config["mesh"].get(name) or None}


def method_of(wildcards):
    return resolved_for(wildcards)[0]


def method_fingerprint(wildcards):
    """Of every key of the method, defaults too: a change of any trains anew, a comment does not.

    Nor does a key that this version added, where it has its default.
    """
    return resolved_for(wildcards)[1]


@functools.cache
def trains_apart(name):
    """Whether the surface of a scan learns from all images, and held-out views from a training of
    their own, which leaves them out."""
    scan = SCANS[name]
    if config["evaluation"]["held_out"] != "apart" or scan.holdout == 0:
        return False
    return not states_split(scan, CAPTURES.get(name))


def learn_from(wildcards):
    """The option of programs that make the surface; None for the images of the scene's split."""
    return "all" if trains_apart(wildcards.scan) else None


def marked_by_images(value, wildcards):
    """A param that is recorded as another one where the surface learns from all images."""
    if not trains_apart(wildcards.scan):
        return value
    recorded = RecordedInt if isinstance(value, int) else RecordedText
    return recorded(value, f"{value} of all images")


def rests_on_stereo(wildcards):
    method = method_of(wildcards)
    return method.model.kind == "neus" and method.training.losses.uses_stereo


def stereo(wildcards):
    """What stereo found, for a method that rests on it."""
    return f"{SCAN}/stereo" if rests_on_stereo(wildcards) else []


def stereo_held_out(wildcards):
    """What it found without the images that are held out."""
    return f"{SCAN}/stereo-held-out" if rests_on_stereo(wildcards) else []


def weights(wildcards):
    """What a training starts from, as training.weights of its method says; another run's, too."""
    file = method_of(wildcards).training.weights
    if file is None:
        return []
    return str(located(file.replace("{seed}", wildcards.seed), RESULTS, wildcards.scan))


def held_out(file):
    """An input: a file of the training that held-out views come from, where it is one of its own."""
    return lambda wildcards: f"{RUN}/held-out/{file}" if trains_apart(wildcards.scan) else []
