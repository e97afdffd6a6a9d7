# Write the release: Parquet, dictionary, provenance, checksums, data card. Earlier releases are never touched.


rule release:
    input:
        verdict="results/gate/verdict.json",
        features="results/protect/features.parquet",
        acquisition="results/protect/acquisition.parquet",
    output:
        "results/release/release.json",
    log:
        "results/logs/release.log",
    benchmark:
        "results/logs/release.tsv"
    conda:
        "../../envs/radcurate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
    params:
        settings=run.section("release"),
        code=run.code("release"),
    shell:
        "python -m radcurate.stages.release --settings {params.settings:q} --results results"
        " --out {output} --log {log}"
