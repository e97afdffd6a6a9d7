# Rewrite headers: allow-list, keyed pseudonyms, dates, UIDs; file container rules.


rule deidentify:
    input:
        series="results/consent/chunks/{chunk}/series.parquet",
        instances="results/consent/chunks/{chunk}/instances.parquet",
        allowlist=run.allowlist(),
        vocabulary=run.path(run.config.deidentify.vocabulary),
        recipients=run.path(run.config.deidentify.recipients) if run.config.deidentify.recipients else [],
    output:
        dicom=intermediate(directory("results/deidentify/{chunk}/dicom")),
        canary=directory("results/deidentify/{chunk}/canary"),
        series="results/deidentify/{chunk}/series.parquet",
        instances="results/deidentify/{chunk}/instances.parquet",
        actions="results/deidentify/{chunk}/actions.parquet",
        policy="results/deidentify/{chunk}/policy.json",
        seal="results/deidentify/{chunk}/seal.json",
    log:
        "results/logs/deidentify/{chunk}.log",
    benchmark:
        "results/logs/deidentify/{chunk}.tsv"
    conda:
        "../../envs/radcurate.yaml"
    resources:
        mem_mb=plan.memory(500, each=500),
    params:
        settings=run.section("deidentify"),
        code=run.code("deidentify"),
        again=lambda wildcards: run.again("deidentify", wildcards.chunk),
        tables=run.contents(run.allowlist(), run.config.deidentify.vocabulary, run.config.deidentify.recipients),
        key_id=run.key_id(),
        allowlist=lambda wildcards, input: str(Path(input.allowlist[0]).parent),
    shell:
        "python -m radcurate.stages.deidentify --settings {params.settings:q} --chunk results/consent/chunks/{wildcards.chunk}"
        ' --source "$RADCURATE_INPUT" --allowlist {params.allowlist:q} --vocabulary {input.vocabulary:q}'
        " --out results/deidentify/{wildcards.chunk} --threads {threads} --log {log}"
