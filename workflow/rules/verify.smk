# An independent reading of everything the cleaning stages wrote: no original identifier left, nothing else changed.


rule verify:
    input:
        identifiers="results/consent/chunks/{chunk}/identifiers.parquet",
        instances="results/consent/chunks/{chunk}/instances.parquet",
        deidentified="results/deidentify/{chunk}/series.parquet",
        redacted="results/redact/{chunk}/boxes.parquet",
        cleaned="results/deface/{chunk}/series.parquet",
        masks="results/deface/{chunk}/masks.parquet",
        dicom="results/deface/{chunk}/dicom",
        safe_private=run.optional("config/safe_private.csv"),
    output:
        series="results/verify/{chunk}/series.parquet",
        hits="results/verify/{chunk}/hits.parquet",
        attributes="results/verify/{chunk}/attributes.parquet",
        canary="results/verify/{chunk}/canary.parquet",
        seal="results/verify/{chunk}/seal.json",
    log:
        "results/logs/verify/{chunk}.log",
    benchmark:
        "results/logs/verify/{chunk}.tsv"
    conda:
        "../../envs/radcurate.yaml"
    resources:
        mem_mb=plan.memory(500, each=500),
    params:
        settings=run.section("verify"),
        code=run.code("verify"),
        again=lambda wildcards: run.again("verify", wildcards.chunk),
        tables=run.contents("config/safe_private.csv"),
    shell:
        'python -m radcurate.stages.verify --settings {params.settings:q} --source "$RADCURATE_INPUT"'
        " --chunk results/consent/chunks/{wildcards.chunk} --deidentified results/deidentify/{wildcards.chunk}"
        " --redacted results/redact/{wildcards.chunk} --cleaned results/deface/{wildcards.chunk}"
        " --safe-private {input.safe_private:q} --out results/verify/{wildcards.chunk}"
        " --threads {threads} --log {log}"
