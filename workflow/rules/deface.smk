# Remove faces from heads, measure that it worked, prove that the rest is untouched.


rule deface:
    input:
        dicom="results/redact/{chunk}/dicom",
        series="results/redact/{chunk}/series.parquet",
    output:
        dicom=directory("results/deface/{chunk}/dicom"),
        pictures=directory("results/deface/{chunk}/pictures"),
        series="results/deface/{chunk}/series.parquet",
        qc="results/deface/{chunk}/qc.parquet",
        masks="results/deface/{chunk}/masks.parquet",
        seal="results/deface/{chunk}/seal.json",
    log:
        "results/logs/deface/{chunk}.log",
    benchmark:
        "results/logs/deface/{chunk}.tsv"
    priority: 2  # as in redact; and the longest stage, started first, does not leave a core idle at the end
    conda:
        "../../envs/radcurate.yaml"
    resources:
        mem_mb=lambda wildcards, threads, attempt: 2000 * threads * attempt,
    params:
        settings=run.section("deface"),
        code=run.code("deface"),
        again=lambda wildcards: run.again("deface", wildcards.chunk),
        decided=lambda wildcards: run.decided("deface", wildcards.chunk),
        source=subpath(input.series, parent=True),
        out=subpath(output.series, parent=True),
    shell:
        "python -m radcurate.stages.deface --settings {params.settings:q} --source {params.source}"
        ' --decisions "$RADCURATE_DEFACE_DECISIONS" --out {params.out} --threads {threads} --log {log}'
