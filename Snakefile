# Photos of an object go in; a mesh in their own units, new views and a table of figures come out.
#
#   snakemake -n                                what would run for config/config.yaml, the demo
#   snakemake --configfile config/scan65.yaml   the scans of another file; see config/README.md
#
# Snakemake decides when a program of scripts/ runs; the package `neus` does the work.
import gc
import inspect

from snakemake.common import overwrite_function_params
from snakemake.utils import min_version

min_version("9.3")


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/methods.smk"
include: "workflow/rules/scene.smk"
include: "workflow/rules/stereo.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/surface.smk"
include: "workflow/rules/meshes.smk"
include: "workflow/rules/external.smk"
include: "workflow/rules/views.smk"
include: "workflow/rules/table.smk"
include: "workflow/rules/page.smk"
include: "workflow/rules/cluster.smk"
include: "workflow/rules/console.smk"


wildcard_constraints:
    scan=one_of(SCANS),
    demo=one_of(DEMOS),
    method=one_of(RUNS["method"]),
    external=one_of(EXTERNALS),
    mesh=one_of({name for _, name in MESHES}),
    seed=r"\d+",


localrules:
    all,
    results_table,


rule all:
    default_target: True
    input:
        rules.results_table.output,
        rules.page.output,
        measured_meshes(f"{SCAN}/meshes/{{mesh}}/mesh.glb"),
        expand(f"{RUN}/{{file}}", file=["mesh.ply", "path.mp4", "views", *KEPT.values()], **RUNS),
        expand(rules.texture_mesh.output, **RUNS),


# Snakemake asks for the parameters of a function before each call, thousands of times.
for of_rule in workflow.rules:
    for function in filter(inspect.isfunction, [*of_rule.input, *of_rule.params]):
        overwrite_function_params(function, inspect.signature(function).parameters)

# The jobs that Snakemake now makes all stay; to look for garbage among thousands, again and again,
# takes a tenth of the time until the first starts.
gc.disable()


# One of each: Snakemake runs the last that it reads, and no other.
onstart:
    gc.enable()
    check_cluster()
    tell_plan()


onsuccess:
    let_lines_end()
    print(f"\nAll of it on one page: {RESULTS}/index.html")
    show(rules.results_table.log[0])


onerror:
    let_lines_end()
    for sentence in reasons_of_failures(Path(RESULTS), STARTED, slurm_logs()):
        print(f"error: {sentence}", file=sys.stderr)
    # What failed has its place there, with the reason; the page says whether it could be made.
    shell("python {command} || true", command=page_options())
