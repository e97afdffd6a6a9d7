# Remove the scanner's accent from features. Only where harmonise.on says so: nothing else asks for its results.


rule harmonise:
    input:
        extract=per_chunk("results/extract/{chunk}/seal.json"),
        parameters=run.harmonise_parameters(),
    output:
        features="results/harmonise/features.parquet",
        ranges="results/harmonise/ranges.parquet",
        parameters="results/harmonise/parameters.parquet",
        statistics="results/harmonise/statistics.parquet",
        report="results/harmonise/report.json",
        details="results/harmonise/details.json",
        seal="results/harmonise/seal.json",
    log:
        "results/logs/harmonise.log",
    benchmark:
        "results/logs/harmonise.tsv"
    conda:
        "../../envs/radcurate.yaml"
    resources:
        mem_mb=plan.memory(2000),
    params:
        settings=run.section("harmonise"),
        code=run.code("harmonise"),
        tables=run.contents(run.harmonise_parameters()),
    shell:
        "python -m radcurate.stages.harmonise --settings {params.settings:q} --results results"
        " --parameters {input.parameters:q} --out results/harmonise --log {log}"
