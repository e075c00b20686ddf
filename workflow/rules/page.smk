# The page that shows all of it, in any browser and without a network.


def page_options(program=SCRIPTS / "page.py"):
    """The command that makes the page of all runs, of what they have left."""
    runs = shlex.join(measured_runs("{scan},{method},{seed}," + ",".join(FIGURES)))
    published = PROJECT / "config" / "published" / "dtu.csv"
    keys = options(results=RESULTS, published=published, output=f"{RESULTS}/index.html")
    given = measured_meshes("{scan},{method}," + ",".join(GIVEN))
    meshes = f" --meshes {shlex.join(given)}" if given else ""
    return f"{shlex.quote(str(program))} {keys} --runs {runs}{meshes}"


rule page:
    input:
        rules.results_table.output,
        expand(f"{RUN}/{{file}}", file=["mesh.ply", "path.mp4", "views"], **RUNS),
        expand(rules.texture_mesh.output, **RUNS),
        taken_externals(),
    output:
        page=f"{RESULTS}/index.html",  # its parts, in page/, are none: they outlive a new index
    params:
        command=page_options(),
    log:
        f"{RESULTS}/page.log",
    benchmark:
        f"{RESULTS}/page.tsv"
    threads: 4
    resources:
        mem_mb=12000,
        runtime=60,
    shell:
        "logged {log:q} python {params.command} --threads {threads}"
