# All figures in tables.

FIGURES = [f"{RUN}/views.json", f"{RUN}/mesh-{{culling}}.json", f"{RUN}/train.json"]


rule results_table:
    input:
        figures=[measured_runs(name) for name in FIGURES],
        published=PROJECT / "config" / "published" / "dtu.csv",
    output:
        csv=report(
            f"{RESULTS}/table.csv", category="Figures", caption="../report/table.rst"
        ),
        markdown=f"{RESULTS}/table.md",
        latex=f"{RESULTS}/table.tex",
    params:
        runs=measured_runs("{scan},{method},{seed}," + ",".join(FIGURES)),
    log:
        f"{RESULTS}/table.log",  # the table as it is printed at the end
    shell:
        "python {SCRIPTS:q}/results_table.py --runs {params.runs:q} "
        "--published {input.published:q} --csv {output.csv:q} "
        "--markdown {output.markdown:q} --latex {output.latex:q} > {log:q}"
