# What rules read of people's own files: photos, cameras, references, and whether these have changed.


def made_or_given(path):
    """What a rule that reads `path` waits for: the demo that makes it, or the path itself.

    A folder may be of any age, which says nothing about its files; their fingerprint, a param, does.
    """
    made = [folder for folder in DEMOS.values() if lies_in(path, [folder])]
    if made:
        return str(made[0])
    return ancient(str(path)) if path.is_dir() else str(path)


def source(wildcards):
    """What the first rule of a scan reads; a file counts by its content, a param, as folders do.

    Snakemake takes braces in names of inputs for wildcards; the param alone speaks for such a folder.
    """
    path = SCANS[wildcards.scan].path
    if lies_in(path, DEMOS.values()):
        return made_or_given(path)
    return [] if "{" in str(path) else ancient(str(path))


@functools.cache
def content_of(name):
    """The fingerprint of a scan's files; None of one that the workflow makes itself."""
    scan = SCANS[name]
    if lies_in(scan.path, DEMOS.values()):
        return None
    value = content_fingerprint(source_files(scan, CAPTURES.get(name)), FACTS)
    FACTS.keep()
    return value


def recorded_params(name):
    """What Snakemake recorded of the last runs of the rules that read a scan's files."""
    made = [f"{SCAN}/{folder}".format(scan=name) for folder in ("frames", "poses", "scene")]
    return [param for path in made for param in workflow.persistence.params(IOFile(path)) or ()]


def source_fingerprint(wildcards):
    name = wildcards.scan
    content = content_of(name)
    if content is None:
        return None
    earlier = functools.partial(earlier_fingerprint, SCANS[name].path)
    return ADOPTED.value(name, content, earlier, recorded_params(name))


def frame_count(wildcards):
    """Of a video; recorded with its content, which the command does not name."""
    count, name = config["poses"]["frames"], wildcards.scan
    content, stands_for = content_of(name), source_fingerprint(wildcards)
    return count if content != stands_for else RecordedInt(count, content)


def photos_folder(wildcards):
    """The folder of a scan's photos: its own, or that of the frames of its video."""
    path = SCANS[wildcards.scan].path
    return f"{SCAN}/frames".format(scan=wildcards.scan) if is_video(path) else path


def photos(wildcards):
    frames = photos_folder(wildcards)
    return frames if frames != SCANS[wildcards.scan].path else source(wildcards)


def pose_options(wildcards):
    """Options of the program; recorded as version 0.1 did, which did not look at masks.

    A scan that it finished is not run again for that; masks are among the files of a scan.
    """
    scan, keys = SCANS[wildcards.scan], dict(config["poses"])
    del keys["frames"]
    if keys["pairing"] == "auto" and is_video(scan.path):
        keys["pairing"] = "sequential"
    masks = scan.masks if keys.pop("use_masks") else "none"
    of_old = options(images=photos_folder(wildcards), intrinsics=scan.intrinsics, **keys)
    words = f"{of_old} {options(masks=masks)}"
    is_recorded = repr(of_old) in recorded_params(scan.name)
    return RecordedText(words, of_old) if is_recorded else words


def known_intrinsics(wildcards):
    file = SCANS[wildcards.scan].intrinsics
    return [str(file)] if file else []


def known_positions(wildcards):
    positions = (SCANS[wildcards.scan].scale or {}).get("positions", GPS)
    return [] if positions == GPS else [positions]


def mask_model(wildcards):
    file = SCANS[wildcards.scan].mask_model
    return [str(file)] if file else []


def poses(wildcards):
    """Estimated cameras, for a scan that comes without any."""
    return f"{SCAN}/poses" if SCANS[wildcards.scan].source == "photos" else []


def scene_options(wildcards, input):
    scan = SCANS[wildcards.scan]
    return options(
        source=scan.source,
        path=photos_folder(wildcards),
        model=input.get("poses") or None,
        downscale=scan.downscale,
        image_size=scan.image_size and "{}x{}".format(*scan.image_size),
        masks=scan.masks,
        mask_model=scan.mask_model,
        sphere=json.dumps(scan.sphere),
        up=json.dumps(scan.up),
        scale=None if scan.scale is None else json.dumps(scan.scale),
        holdout=scan.holdout,
        unit=scan.unit,
    )


def reference_paths(wildcards):
    return paths_of_reference(wildcards.scan)


@functools.cache
def paths_of_reference(name):
    """The files of the reference and the folder of the known cameras, as far as there are any."""
    reference = SCANS[name].reference
    cameras = [reference.cameras] if reference.cameras else []
    return list(dict.fromkeys(made_or_given(path) for path in [*reference.files, *cameras]))
