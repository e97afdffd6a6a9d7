# Generalise and suppress quasi-identifiers until the policy's k, l and t hold, with least loss.


rule protect:
    input:
        extract=per_chunk("results/extract/{chunk}/seal.json"),
        harmonised=["results/harmonise/seal.json"] if run.config.harmonise.on else [],
        columns=run.path("config/columns.yaml"),
    output:
        features="results/protect/features.parquet",
        acquisition="results/protect/acquisition.parquet",
        crosscheck="results/protect/crosscheck.parquet",
        provenance="results/protect/provenance.parquet",
        distortion="results/protect/distortion.parquet",
        subjects="results/protect/subjects.parquet",
        series="results/protect/series.parquet",
        groups="results/protect/groups.parquet",
        ranges="results/protect/ranges.parquet",
        stability="results/protect/stability.parquet",
        ways="results/protect/ways.parquet",
        at_risk="results/protect/at_risk.parquet",
        utility="results/protect/utility_privacy.json",
        measures="results/protect/measures.json",
        seal="results/protect/seal.json",
    log:
        "results/logs/protect.log",
    benchmark:
        "results/logs/protect.tsv"
    conda:
        "../../envs/radcurate.yaml"
    resources:
        mem_mb=plan.memory(2000),
    params:
        settings=run.section("protect"),
        code=run.code("protect"),
        tables=run.contents("config/columns.yaml"),
        harmonise=lambda wildcards, input: [str(Path(name).parent) for name in input.harmonised],
    shell:
        "python -m radcurate.stages.protect --settings {params.settings:q} --results results"
        " --harmonise {params.harmonise}"
        " --columns {input.columns:q} --out results/protect --log {log}"
