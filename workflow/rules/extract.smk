# Masks on the image grid, IBSI preprocessing, features with full provenance.


rule extract:
    input:
        dicom="results/deface/{chunk}/dicom",
        series="results/deface/{chunk}/series.parquet",
        subjects="results/deidentify/{chunk}/series.parquet",
        verified="results/verify/{chunk}/series.parquet",
        instances="results/consent/chunks/{chunk}/instances.parquet",
        cleaned="results/deidentify/{chunk}/instances.parquet",
        profiles=run.profiles(),
        extensions=run.extensions(),
    output:
        features="results/extract/{chunk}/features.parquet",
        columns="results/extract/{chunk}/columns.parquet",
        acquisition="results/extract/{chunk}/acquisition.parquet",
        provenance="results/extract/{chunk}/provenance.parquet",
        missing="results/extract/{chunk}/missing.parquet",
        ranges="results/extract/{chunk}/ranges.parquet",
        invariance="results/extract/{chunk}/invariance.parquet",
        crosscheck="results/extract/{chunk}/crosscheck.parquet",
        series="results/extract/{chunk}/series.parquet",
        seal="results/extract/{chunk}/seal.json",
    log:
        "results/logs/extract/{chunk}.log",
    benchmark:
        "results/logs/extract/{chunk}.tsv"
    conda:
        "../../envs/radcurate.yaml"
    resources:
        mem_mb=plan.memory(each=2000),
    params:
        settings=run.section("extract"),
        code=run.code("extract"),
        again=lambda wildcards: run.again("extract", wildcards.chunk),
        tables=run.contents(run.profiles(), run.extensions()),
        profiles=lambda wildcards, input: str(Path(input.profiles[0]).parent),
    shell:
        "python -m radcurate.stages.extract --settings {params.settings:q} --source results/deface/{wildcards.chunk}"
        " --subjects results/deidentify/{wildcards.chunk} --verified results/verify/{wildcards.chunk} --chunk results/consent/chunks/{wildcards.chunk}"
        ' --export "$RADCURATE_INPUT"'
        " --profiles {params.profiles:q} --extensions {input.extensions:q}"
        " --out results/extract/{wildcards.chunk} --threads {threads} --log {log}"
