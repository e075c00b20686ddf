# What the lines of `--logger neus` are told of a run beforehand: its jobs, and what each may cost.

# What a job is of, in the order in which people are told; a seed only where there are several.
NAMED = ("demo", "scan", "method", "mesh", "seed", "culling")
# Cells along the demo's mesh.
DEMO_RESOLUTION = 512
# Seconds of the page beside those of each run on it, in runs.
PAGE_ALONE = 1.8


def name_of(job):
    words = {name: job.wildcards_dict.get(name) for name in NAMED}
    if len(config["seeds"]) == 1:
        words["seed"] = None
    if words["culling"] == "none":
        words["culling"] = None
    seed = words["seed"] and f"seed {words['seed']}"
    return " ".join(word for word in (words | {"seed": seed}).values() if word)


def size_of(job):
    """How much there is to do, beside the demo's of one run; what is not known here counts as there."""
    name = job.rule.name
    if name.startswith("train"):
        return training_size(method_of(job.wildcards), trains_on_card(config))
    if name == "extract_mesh":  # cells at the surface
        return (int(mesh_resolution(job.wildcards)) / DEMO_RESOLUTION) ** 2
    if name == "estimate_poses":
        return poses_size(pictures(job))
    if name.startswith("dense_stereo"):
        return stereo_size(pictures(job))
    if name == "render_views":
        return views_size(pictures(job), learns_surroundings(job))
    if name == "evaluate_views":
        return views_size(pictures(job))
    if name == "render_path":
        frames = config["video"]["frames"]
        return flight_size(pictures(job), frames, flight_side(), learns_surroundings(job))
    if name == "page":
        runs = set(measured_runs("{scan}/{method}/{seed}"))
        return (PAGE_ALONE + len(runs)) / (PAGE_ALONE + 1)
    return 1.0


def pictures(job):
    return pictures_of_scan(job.wildcards.scan)


@functools.cache
def pictures_of_scan(name):
    return pictures_of(SCANS[name], CAPTURES.get(name)) or DEMO_PICTURES


def learns_surroundings(job):
    return method_of(job.wildcards).model.background == "learned"


def planned_jobs():
    dag = workflow.dag
    costs = Costs(Path(RESULTS), "cuda" if trains_on_card(config) else "cpu")
    jobs = {job: dag.jobid(job) for job in dag.needrun_jobs() if not job.is_norun}
    return [planned(job, number, jobs, costs) for job, number in jobs.items()]


def planned(job, number, jobs, costs):
    name = job.rule.name
    benchmark = Path(job.benchmark) if job.benchmark else None
    after = tuple(jobs[other] for other in workflow.dag.job_dependencies(job) if other in jobs)
    cards = int(job.resources.get("gpu", 0))
    seconds = costs.expected(name, benchmark, size_of(job))
    return PlannedJob(number, name, name_of(job), job.threads, cards, after, seconds)


def tell_plan():
    """Write what is known of this run; that it cannot be told stops none."""
    if not any(map(is_ours, log_handlers())):
        return
    try:
        here = workflow.local_exec
        cores, cards = (workflow.cores, cards_here()) if here else (None, None)
        write_plan(PLAN, planned_jobs(), cores=cores, cards=cards)
    except Exception as error:  # what is asked of Snakemake here may differ in its next version
        warn(f"how long this run will take is not known ({type(error).__name__}: {error})")


def cards_here():
    """How many jobs with a card run at a time; None where nothing limits them."""
    limit = workflow.global_resources.get("gpu")
    return None if limit is None else int(getattr(limit, "value", limit))


def log_handlers():
    """Those of plugins; versions of Snakemake differ in where they keep them."""
    manager = getattr(workflow, "logger_manager", None)
    return manager.get_log_handlers() if hasattr(manager, "get_log_handlers") else []


def is_ours(handler):
    return type(handler).__module__ == "snakemake_logger_plugin_neus"


def let_lines_end():
    """Whatever is printed now comes after the last line of a logger that works in a thread."""
    for handler in log_handlers():
        handler.flush()
