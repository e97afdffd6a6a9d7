# Write the release: Parquet, dictionary, provenance, checksums, data card. Earlier releases are never touched.


rule release:
    input:
        verdict="results/gate/verdict.json",
        features="results/protect/features.parquet",
        acquisition="results/protect/acquisition.parquet",
        ranges="results/protect/ranges.parquet",
        stability="results/protect/stability.parquet",
        columns=run.path("config/columns.yaml"),
        lock=run.path("uv.lock"),
        study=run.optional(run.config.release.study),
    output:
        receipt="results/release/release.json",
        report=report(
            "results/release/report.html",
            caption="../report/release.rst",
            category="Release",
        ),
    log:
        "results/logs/release.log",
    benchmark:
        "results/logs/release.tsv"
    conda:
        "../../envs/radcurate.yaml"
    resources:
        mem_mb=plan.memory(1000),
    params:
        settings=run.section("release"),
        config=run.content(),
        code=run.code("release"),
        tables=run.contents("config/columns.yaml", "uv.lock", run.config.release.study),
        codes=run.codes(),
    shell:
        "python -m radcurate.stages.release --settings {params.settings:q} --config {params.config:q}"
        " --columns {input.columns:q} --lock {input.lock:q} --study {input.study:q} --codes {params.codes:q}"
        " --results results --out {output.receipt} --log {log}"
