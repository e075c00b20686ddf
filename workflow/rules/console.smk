# What the lines of `--logger neus` are told of a run beforehand: its jobs, and what each may cost.

# What a job is of, in the order in which people are told; a seed only where there are several.
NAMED = ("demo", "scan", "method", "mesh", "seed", "culling")
# What is known of the demo's jobs: steps of its training, samples of each, cells along its mesh, frames
# of its flight, its pictures.
DEMO_STEPS, DEMO_SAMPLES, DEMO_RESOLUTION, DEMO_FRAMES = 4000, 8192, 512, 60
DEMO_PICTURES = Pictures(count=48, pixels=400 * 300, stored=400 * 300)
# What stereo looks at, at most: of a picture and of all, as in neus.stereo.StereoSettings.
STEREO_PIXELS, ALL_STEREO_PIXELS = 500_000, 40_000_000
# How much longer a picture takes whose surroundings are learnt, too.
SURROUNDINGS = 3.5
# Shares of the demo's seconds that do not grow: of a step with its samples, of a photo's pose with the
# pixels that features are looked for in, of the others with the work.
STEP_ALONE, PHOTO_ALONE, ALONE = 0.35, 0.85, 0.15
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
        return steps_of(method_of(job.wildcards))
    if name == "extract_mesh":  # cells at the surface
        return (int(mesh_resolution(job.wildcards)) / DEMO_RESOLUTION) ** 2
    if name == "estimate_poses":
        larger = grown(pictures(job).stored / DEMO_PICTURES.stored, PHOTO_ALONE)
        return grown(pictures(job).count / DEMO_PICTURES.count * larger)
    if name.startswith("dense_stereo"):
        each = min(pictures(job).pixels, STEREO_PIXELS)
        all_of_them = min(pictures(job).count * each, ALL_STEREO_PIXELS)
        return grown(all_of_them / all_pixels(DEMO_PICTURES))
    if name == "evaluate_views":
        return grown(all_pixels(pictures(job)) / all_pixels(DEMO_PICTURES))
    if name == "render_views":
        return grown(all_pixels(pictures(job)) / all_pixels(DEMO_PICTURES) * surroundings(job))
    if name == "render_path":
        frames = config["video"]["frames"] / DEMO_FRAMES
        larger = min(pictures(job).pixels, most_pixels()) / DEMO_PICTURES.pixels
        return grown(frames * larger * surroundings(job))
    if name == "page":
        runs = set(measured_runs("{scan}/{method}/{seed}"))
        return (PAGE_ALONE + len(runs)) / (PAGE_ALONE + 1)
    return 1.0


def grown(times, alone=ALONE):
    return alone + (1 - alone) * times


def steps_of(method):
    """A training's steps, in trainings of the demo; on a card more samples take hardly longer."""
    samples = 1 if trains_on_card(config) else method.training.samples / DEMO_SAMPLES
    return method.training.steps / DEMO_STEPS * grown(samples, STEP_ALONE)


def pictures(job):
    return pictures_of_scan(job.wildcards.scan)


@functools.cache
def pictures_of_scan(name):
    return pictures_of(SCANS[name], CAPTURES.get(name)) or DEMO_PICTURES


def most_pixels():
    """Of a flight's frame, as if it were three quarters as high as wide."""
    side = flight_side()
    return float("inf") if side is None else 0.75 * side**2


def all_pixels(pictures):
    return pictures.count * pictures.pixels


def surroundings(job):
    return SURROUNDINGS if method_of(job.wildcards).model.background == "learned" else 1.0


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
