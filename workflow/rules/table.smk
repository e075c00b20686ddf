# All figures in tables.

GIVEN = [f"{SCAN}/meshes/{{mesh}}/mesh-{{culling}}.json", f"{SCAN}/meshes/{{mesh}}/placed.json"]
FIGURES = [f"{RUN}/views.json", f"{RUN}/mesh-{{culling}}.json", f"{RUN}/train.json"]


rule results_table:
    input:
        figures=[measured_runs(name) for name in FIGURES],
        given=[measured_meshes(name) for name in GIVEN],
        published=PROJECT / "config" / "published" / "dtu.csv",
    output:
        csv=report(
            f"{RESULTS}/table.csv", category="Figures", caption="../report/table.rst"
        ),
        markdown=f"{RESULTS}/table.md",
        latex=f"{RESULTS}/table.tex",
    params:
        runs=measured_runs("{scan},{method},{seed}," + ",".join(FIGURES)),
        given=lambda wildcards, input: shlex.join(
            ["--meshes", *measured_meshes("{scan},{method}," + ",".join(GIVEN))]
        )
        if MESHES
        else "",
    log:
        f"{RESULTS}/table.log",  # the table as it is printed at the end
    shell:
        "python {SCRIPTS:q}/results_table.py --runs {params.runs:q} {params.given} "
        "--published {input.published:q} --csv {output.csv:q} "
        "--markdown {output.markdown:q} --latex {output.latex:q} > {log:q}"
