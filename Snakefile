# radcurate: from a hospital's DICOM export to a data set that may be shared, or a refusal with reasons.
#
#   snakemake                         with config/config.yaml
#   snakemake --config input=DIR      on another export
#
# One rule per stage, in the order in which data walk through them; the logic lives in src/radcurate.

import os
import sys
from pathlib import Path

from snakemake.utils import min_version

from radcurate import recorded
from radcurate import workflow as plan
from radcurate.operation import failures

min_version("9.0")


configfile: Path(workflow.basedir) / "config" / "config.yaml"


run = plan.prepare(
    config,
    basedir=Path(workflow.basedir),
    check="--lint" not in sys.argv,
    worker=workflow.remote_exec,
)


intermediate = temp if not run.config.keep_intermediates else lambda path: path


wildcard_constraints:
    chunk=r"\d{5}",


rule all:
    default_target: True
    input:
        "results/release/release.json",
        # a release may be there while a kill left holes before it: what is not sealed is made, and all that depends on it
        seals=lambda wildcards: seals(wildcards),


include: "workflow/rules/fetch.smk"
include: "workflow/rules/inventory.smk"
include: "workflow/rules/consent.smk"
include: "workflow/rules/deidentify.smk"
include: "workflow/rules/redact.smk"
include: "workflow/rules/deface.smk"
include: "workflow/rules/verify.smk"
include: "workflow/rules/extract.smk"
include: "workflow/rules/harmonise.smk"
include: "workflow/rules/protect.smk"
include: "workflow/rules/attack.smk"
include: "workflow/rules/gate.smk"
include: "workflow/rules/release.smk"


onstart:
    if workflow.non_local_exec:
        shell.prefix(plan.leave_to_jobs(workflow.config_settings.config_args))
    plan.claim_results(run)
    recorded.record_start(run)


onsuccess:
    plan.forget_old_chunks(run)
    recorded.record_end(run, done=True)
    failures.tell(log)
    plan.print_summary(run)
    plan.write_report(run)


onerror:
    plan.forget_old_chunks(run)
    recorded.record_end(run, done=False)
    failures.tell(log)
    plan.print_summary(run)
    plan.write_report(run)
