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
        mem_mb=lambda wildcards, threads, attempt: 2000 * threads * attempt,
    params:
        settings=run.section("extract"),
        code=run.code("extract"),
        again=lambda wildcards: run.again("extract", wildcards.chunk),
        tables=run.contents(run.profiles(), run.extensions()),
        source=subpath(input.series, parent=True),
        subjects=subpath(input.subjects, parent=True),
        verified=subpath(input.verified, parent=True),
        profiles=lambda wildcards, input: str(Path(input.profiles[0]).parent),
        chunk=subpath(input.instances, parent=True),
        out=subpath(output.series, parent=True),
    shell:
        "python -m radcurate.stages.extract --settings {params.settings:q} --source {params.source}"
        " --subjects {params.subjects} --verified {params.verified} --chunk {params.chunk}"
        ' --export "$RADCURATE_INPUT"'
        " --profiles {params.profiles:q} --extensions {input.extensions:q}"
        " --out {params.out} --threads {threads} --log {log}"
