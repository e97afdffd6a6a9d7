# Find every instance, read headers, group into series, link contours to images, quarantine the rest.
# A checkpoint: how many chunks there are is known only afterwards.


checkpoint inventory:
    input:
        fetched=run.fetched(),
    output:
        chunks=directory("results/inventory/chunks"),
        unplaced="results/inventory/unplaced.parquet",
        seal="results/inventory/seal.json",
    log:
        "results/logs/inventory.log",
    benchmark:
        "results/logs/inventory.tsv"
    conda:
        "../../envs/radcurate.yaml"
    threads: workflow.cores
    resources:
        mem_mb=plan.memory(2000),
    params:
        settings=run.section("inventory"),
        code=run.code("inventory"),
        key_id=run.key_id(),
        source=run.source_state,
    shell:
        'python -m radcurate.stages.inventory --settings {params.settings:q} --source "$RADCURATE_INPUT"'
        " --fetched {input.fetched:q} --out results/inventory --threads {threads} --log {log}"
