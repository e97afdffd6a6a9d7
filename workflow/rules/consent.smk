# Keep what the stated purpose may use; count and name every exclusion.
# A checkpoint too: its chunks are compared by content, so a changed consent runs only the chunks it touches.


checkpoint consent:
    input:
        chunks=rules.inventory.output.chunks,
        unplaced=rules.inventory.output.unplaced,
        table=run.config.consent.table or [],
        waiver=run.config.consent.waiver or [],
    output:
        chunks=directory("results/consent/chunks"),
        series="results/consent/series.parquet",
        exclusions="results/consent/exclusions.parquet",
        files="results/consent/files.json",
        seal="results/consent/seal.json",
    log:
        "results/logs/consent.log",
    benchmark:
        "results/logs/consent.tsv"
    conda:
        "../../envs/radcurate.yaml"
    resources:
        mem_mb=plan.memory(1000),
    params:
        settings=run.section("consent"),
        code=run.code("consent"),
        tables=run.contents(run.config.consent.table, run.config.consent.waiver),
    shell:
        "python -m radcurate.stages.consent --settings {params.settings:q} --inventory results/inventory"
        " --table {input.table:q} --waiver {input.waiver:q} --out results/consent --log {log}"


def chunks(wildcards):
    """The chunks that hold something permitted, known once consent has run."""
    folder = Path(checkpoints.consent.get().output.chunks)
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def per_chunk(pattern):
    """An input function: `pattern` for every chunk. A seal stands for all tables that it lists the digests of."""
    return lambda wildcards: expand(pattern, chunk=chunks(wildcards))


def seals(wildcards):
    """What every job writes last, from deidentify to the gate."""
    stages = ["deidentify", "redact", "deface", "verify", "extract"]
    whole = [*(["harmonise"] if run.config.harmonise.on else []), "protect", "attack", "gate"]
    return [
        *expand("results/{stage}/{chunk}/seal.json", stage=stages, chunk=chunks(wildcards)),
        *expand("results/{stage}/seal.json", stage=whole),
    ]
