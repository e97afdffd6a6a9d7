# Try to break what is about to be released: linkage, fingerprint, site guess, differencing.


rule attack:
    input:
        features="results/protect/features.parquet",
        acquisition="results/protect/acquisition.parquet",
        measures="results/protect/measures.json",
        extract=per_chunk("results/extract/{chunk}/seal.json"),
        columns=run.path("config/columns.yaml"),
        registry=run.config.attack.linkage.registry or [],
    output:
        attack="results/attack/attack.json",
        attacks="results/attack/attacks.parquet",
        columns="results/attack/columns.parquet",
        seal="results/attack/seal.json",
    log:
        "results/logs/attack.log",
    benchmark:
        "results/logs/attack.tsv"
    conda:
        "../../envs/radcurate.yaml"
    resources:
        mem_mb=plan.memory(2000),
    params:
        settings=run.section("attack"),
        code=run.code("attack"),
        tables=run.contents("config/columns.yaml", run.config.attack.linkage.registry),
    shell:
        "python -m radcurate.stages.attack --settings {params.settings:q} --results results"
        " --columns {input.columns:q} --registry {input.registry:q} --out results/attack --log {log}"
