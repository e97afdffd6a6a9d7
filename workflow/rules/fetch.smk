# Make plain files of archives and of a DICOMweb server. Only asked for where the input is no plain folder.
# It runs where snakemake runs: workers of a cluster have no way out.


rule fetch:
    output:
        problems="results/fetch/problems.parquet",
        about="results/fetch/fetched.json",
        seal="results/fetch/seal.json",
    log:
        "results/logs/fetch.log",
    benchmark:
        "results/logs/fetch.tsv"
    localrule: True
    conda:
        "../../envs/radcurate.yaml"
    threads: workflow.cores
    resources:
        mem_mb=plan.memory(1000),
    params:
        settings=run.fetch_settings(),
        code=run.code("fetch"),
        key_id=run.key_id(),
        source=run.fetch_state,
    shell:
        'python -m radcurate.stages.fetch --settings {params.settings:q} --source "$RADCURATE_FETCH_FROM"'
        ' --server "$RADCURATE_FETCH_SERVER" --state "{params.source}"'
        " --out results/fetch --threads {threads} --log {log}"
