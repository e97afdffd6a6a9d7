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
        mem_mb=plan.memory(each=2000),
    params:
        settings=run.section("deface"),
        code=run.code("deface"),
        again=lambda wildcards: run.again("deface", wildcards.chunk),
        decided=lambda wildcards: run.decided("deface", wildcards.chunk),
    shell:
        "python -m radcurate.stages.deface --settings {params.settings:q} --source results/redact/{wildcards.chunk}"
        ' --decisions "$RADCURATE_DEFACE_DECISIONS" --out results/deface/{wildcards.chunk} --threads {threads} --log {log}'
