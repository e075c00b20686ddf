# All figures in one table.


rule results_table:
    input:
        expand(FIGURES, **RUNS),
    output:
        csv=report(
            f"{RESULTS}/table.csv", category="Figures", caption="../report/table.rst"
        ),
        markdown=f"{RESULTS}/table.md",
        latex=f"{RESULTS}/table.tex",
    params:
        runs=expand("{scan},{method},{seed}," + ",".join(FIGURES), **RUNS),
    log:
        f"{RESULTS}/table.log",  # the table as it is printed at the end
    shell:
        "python {SCRIPTS:q}/results_table.py --runs {params.runs:q} --csv {output.csv:q} "
        "--markdown {output.markdown:q} --latex {output.latex:q} > {log:q}"
