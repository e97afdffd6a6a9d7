# Find text that is drawn into pixels, fill its place, look again; doubt is for a person.


rule redact:
    input:
        dicom="results/deidentify/{chunk}/dicom",
        series="results/deidentify/{chunk}/series.parquet",
        regions=run.optional(run.config.redact.regions),
        marks=run.optional(run.config.redact.marks),
        identifiers="results/consent/chunks/{chunk}/identifiers.parquet",
    output:
        dicom=intermediate(directory("results/redact/{chunk}/dicom")),
        before=directory("results/redact/{chunk}/before"),
        series="results/redact/{chunk}/series.parquet",
        boxes="results/redact/{chunk}/boxes.parquet",
        seal="results/redact/{chunk}/seal.json",
    log:
        "results/logs/redact/{chunk}.log",
    benchmark:
        "results/logs/redact/{chunk}.tsv"
    priority: 1  # before the next chunk is begun: what lies between two stages then is soon gone
    conda:
        "../../envs/radcurate.yaml"
    resources:
        mem_mb=plan.memory(each=2500),
    params:
        settings=run.section("redact"),
        code=run.code("redact"),
        again=lambda wildcards: run.again("redact", wildcards.chunk),
        tables=run.contents(run.config.redact.regions, run.config.redact.marks),
        decided=lambda wildcards: run.decided("redact", wildcards.chunk),
    shell:
        "python -m radcurate.stages.redact --settings {params.settings:q} --source results/deidentify/{wildcards.chunk}"
        " --chunk results/consent/chunks/{wildcards.chunk} --regions {input.regions:q} --marks {input.marks:q}"
        ' --decisions "$RADCURATE_REDACT_DECISIONS" --out results/redact/{wildcards.chunk} --threads {threads} --log {log}'
