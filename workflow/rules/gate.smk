# Compare measurements with the policy; fail the run with reasons, or let it pass.


rule gate:
    input:
        consent="results/consent/series.parquet",
        deidentify=per_chunk("results/deidentify/{chunk}/seal.json"),
        redact=per_chunk("results/redact/{chunk}/seal.json"),
        deface=per_chunk("results/deface/{chunk}/seal.json"),
        verify=per_chunk("results/verify/{chunk}/seal.json"),
        extract=per_chunk("results/extract/{chunk}/seal.json"),
        protect="results/protect/measures.json",
        attack="results/attack/attack.json",
        policy=run.policy(),
        papers=run.papers(),
        reference=run.reference(),
        safe_harbor=run.path("config/safe_harbor.yaml"),
    output:
        verdict="results/gate/verdict.json",
        outcomes="results/gate/outcomes.parquet",
        safe_harbor="results/gate/safe_harbor.json",
        terms="results/gate/terms.md",
        fairness="results/gate/fairness.json",
        seal="results/gate/seal.json",
    log:
        "results/logs/gate.log",
    benchmark:
        "results/logs/gate.tsv"
    conda:
        "../../envs/radcurate.yaml"
    resources:
        mem_mb=plan.memory(1000),
    params:
        settings=run.section("gate"),
        deidentify=run.section("deidentify"),
        images=int(run.config.release.images),
        code=run.code("gate"),
        tables=run.contents(run.policy(), run.papers(), run.reference(), "config/safe_harbor.yaml"),
    shell:
        "python -m radcurate.stages.gate --settings {params.settings:q} --deidentify {params.deidentify:q}"
        " --results results --policy {input.policy:q}"
        " --safe-harbor {input.safe_harbor:q} --papers {input.papers:q} --reference {input.reference:q} --images {params.images} --out results/gate --log {log}"
