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
        mem_mb=lambda wildcards, threads, attempt: (500 + 500 * threads) * attempt,
    params:
        settings=run.section("verify"),
        code=run.code("verify"),
        again=lambda wildcards: run.again("verify", wildcards.chunk),
        tables=run.contents("config/safe_private.csv"),
        chunk=subpath(input.identifiers, parent=True),
        deidentified=subpath(input.deidentified, parent=True),
        redacted=subpath(input.redacted, parent=True),
        cleaned=subpath(input.cleaned, parent=True),
        out=subpath(output.series, parent=True),
    shell:
        'python -m radcurate.stages.verify --settings {params.settings:q} --source "$RADCURATE_INPUT"'
        " --chunk {params.chunk} --deidentified {params.deidentified} --redacted {params.redacted}"
        " --cleaned {params.cleaned} --safe-private {input.safe_private:q} --out {params.out}"
        " --threads {threads} --log {log}"
