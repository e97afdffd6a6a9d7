"""One violation per criterion of every policy, planted in a finished run."""

from __future__ import annotations

import shutil

import yaml

from finished_run import FEATURES, HEAD, provenance_record

PATIENT = HEAD  # one of those whose series are released
CHUNK = f"{PATIENT % 3:05d}"


def first(change):
    """A change of the first row."""

    def all_rows(rows):
        change(rows[0])

    return all_rows


def plant_lost_series(run):
    run.edit(f"verify/{CHUNK}", "series.parquet", lambda rows: rows[1:])


def plant_lost_file(run):
    run.edit(f"deidentify/{CHUNK}", "series.parquet", first(lambda row: row.update(n_instances=row["n_instances"] - 1)))


def plant_lost_region(run):
    run.edit("protect", "features.parquet", lambda rows: rows[:-1])


def plant_hit(run):
    hit = {"series": run.series(PATIENT), "name": "a.dcm", "category": "name", "keyword": "x", "place": "y", "count": 1}
    run.edit(f"verify/{CHUNK}", "hits.parquet", lambda rows: [hit])


def plant_hit_in_the_series_table_only(run):
    run.edit(f"verify/{CHUNK}", "series.parquet", first(lambda row: row.update(hits=1)))


def plant_unpaired_file(run):
    run.edit(f"verify/{CHUNK}", "series.parquet", first(lambda row: row.update(paired=row["files"] - 1)))


def plant_canary(**changes):
    return lambda run: run.edit(f"verify/{CHUNK}", "canary.parquet", first(lambda row: row.update(changes)))


def plant_failed_verification(run):
    run.edit(
        f"verify/{CHUNK}", "series.parquet", first(lambda row: row.update(status="failed", reason="identifier_left"))
    )


def plant_face(run):
    run.edit(f"deface/{CHUNK}", "series.parquet", lambda rows: [{**row, "face": None} for row in rows])


def qc(**found):
    """A plant in deface's check of the head."""

    def plant(run):
        def change(rows):
            return [{**row, **found} if row["series"] == run.series(HEAD) else row for row in rows]

        run.edit(f"deface/{CHUNK}", "qc.parquet", change)

    return plant


def plant_no_check_of_a_removed_face(run):
    run.edit(f"deface/{CHUNK}", "qc.parquet", lambda rows: [row for row in rows if row["series"] != run.series(HEAD)])


def redacted(**found):
    """A plant in redact's row of the head."""

    def plant(run):
        def change(rows):
            return [{**row, **found} if row["series"] == run.series(HEAD) else row for row in rows]

        run.edit(f"redact/{CHUNK}", "series.parquet", change)

    return plant


def box(**found):
    """One more box of the head."""

    def plant(run):
        def change(rows):
            mine = next(row for row in rows if row["series"] == run.series(HEAD))
            return [*rows, {**mine, **found}]

        run.edit(f"redact/{CHUNK}", "boxes.parquet", change)

    return plant


def both(*plants):
    """Several plants in one run."""

    def plant(run):
        for one in plants:
            one(run)

    return plant


AGAIN = {"pass_number": 2, "filled": False}
RELEASED = redacted(decision="released_by_person")


def plant_no_record(run):
    run.edit(f"extract/{CHUNK}", "provenance.parquet", lambda rows: rows[:0])


def plant_incomplete_record(run):
    gap = {**provenance_record(PATIENT), "discretisation_value": None}
    run.edit(
        f"extract/{CHUNK}",
        "provenance.parquet",
        lambda rows: [gap if r["provenance"] == gap["provenance"] else r for r in rows],
    )


def plant_empty_row(run):
    run.edit("protect", "features.parquet", first(lambda row: row.update(dict.fromkeys(FEATURES, float("nan")))))


def invariance(**changes):
    def plant(run):
        run.edit(f"extract/{CHUNK}", "invariance.parquet", first(lambda row: row.update(changes)))

    return plant


def plant_no_comparison(run):
    run.edit(f"extract/{CHUNK}", "invariance.parquet", lambda rows: rows[1:])


def plant_nothing_to_release(run):
    run.edit("protect", "features.parquet", lambda rows: [])


def plant_bare_column(run):
    run.measure(lambda content: content["reasons"].pop("sex"))


def plant_internal_code(run):
    run.edit("protect", "features.parquet", first(lambda row: row.update(series=run.series(PATIENT))))


def plant_unmet(run):
    run.measure(lambda content: content.update(holds=False))


def plant_small_crowd(run):
    run.measure(lambda content: content["after"].update(k=4))


def plant_small_crowd_in_the_table(run):
    run.edit("protect", "features.parquet", first(lambda row: row.update(age="33")))


def plant_prosecutor(run):
    run.measure(lambda content: content["after"].update(prosecutor_max=0.25))


def plant_t(run):
    run.measure(lambda content: content["after"].update(t=0.31, l=3, sensitive={"roi_label": {"t": 0.31, "l": 3}}))


def plant_unmeasured_k(run):
    run.measure(lambda content: content["after"].pop("k"))


PLANTED = [
    ("conservation.lost_series", plant_lost_series),
    ("conservation.lost_files", plant_lost_file),
    ("conservation.lost_regions", plant_lost_region),
    ("verify.hits", plant_hit),
    ("verify.hits", plant_hit_in_the_series_table_only),
    ("verify.failed_series", plant_failed_verification),
    ("verify.unverified_series", plant_lost_series),
    ("verify.unpaired_files", plant_unpaired_file),
    ("verify.canary_left", plant_canary(left=1)),
    ("verify.canary_seen", plant_canary(seen_before=3)),
    ("safe_harbor.red_lines", plant_canary(left=1)),
    ("safe_harbor.red_lines", plant_canary(planted=0)),
    ("safe_harbor.red_lines", plant_canary(seen_before=0)),
    ("safe_harbor.red_lines", plant_hit),
    ("redact.unlooked_series", redacted(looked=0)),
    ("redact.unlooked_series", redacted(looked=None)),
    ("redact.residual_text", redacted(residual=1)),
    ("redact.residual_text", box(**AGAIN)),
    ("redact.residual_text", both(RELEASED, box(**AGAIN, kind="identity"))),
    ("redact.unresolved_doubts", box(sure=False, filled=False)),
    ("redact.unresolved_doubts", both(redacted(strict=None), box(sure=False, filled=False))),
    ("redact.unresolved_doubts", both(redacted(strict=False), box(sure=True, filled=False))),
    ("redact.unresolved_doubts", both(RELEASED, box(kind="identity", filled=False))),
    ("redact.box_overlap", redacted(overlap_voxels=1)),
    ("deface.unresolved_faces", plant_face),
    ("deface.unresolved_faces", plant_no_check_of_a_removed_face),
    ("deface.unresolved_faces", qc(passed=False)),
    ("deface.unresolved_faces", qc(passed=None)),
    ("deface.unresolved_faces", qc(control_passed=True)),
    ("deface.unresolved_faces", qc(control_passed=None)),
    ("deface.unresolved_faces", qc(outside_equal=False)),
    ("deface.unresolved_faces", qc(inside_filled=False)),
    ("deface.overlap_voxels", qc(overlap_voxels=1)),
    ("deface.face_share", qc(moved=0.94)),
    ("deface.face_share", qc(moved=None)),
    ("deface.brain_dice", qc(brain_dice=0.99)),
    ("deface.brain_dice", qc(brain_dice=None)),
    ("deface.outside_changed", qc(outside_equal=False)),
    ("deface.outside_changed", qc(outside_equal=None)),
    ("deface.control_passed", qc(control_passed=True)),
    ("deface.control_passed", qc(controls_hold=False)),
    ("provenance.rows_without_record", plant_no_record),
    ("provenance.incomplete_records", plant_incomplete_record),
    ("features.empty_rows", plant_empty_row),
    ("invariance.unproven_regions", plant_no_comparison),
    ("invariance.unproven_regions", invariance(basis=None, reason="original_absent")),
    ("invariance.unproven_regions", invariance(basis="out_of_reach", different=1, largest_change=1e-16)),
    ("invariance.largest_change", invariance(basis="within_reach", different=1, largest_change=0.011)),
    ("invariance.largest_change", invariance(basis="within_reach", different=1, largest_change=float("inf"))),
    ("features.rows", plant_nothing_to_release),
    ("columns.without_reason", plant_bare_column),
    ("codes.internal", plant_internal_code),
    ("protect.unmet", plant_unmet),
    ("protect.k", plant_small_crowd),
    ("protect.k", plant_small_crowd_in_the_table),
    ("protect.k", plant_unmeasured_k),
    ("protect.prosecutor_max", plant_prosecutor),
    ("protect.prosecutor_max", plant_small_crowd_in_the_table),
    ("protect.t", plant_t),
]


def share(attack, *within, **found):
    """A plant in what an attack found."""

    def plant(run):
        def change(document):
            content = document["attacks"][attack]
            for name in within:
                content = content[name]
            content.update(found)

        run.attack(change)

    return plant


def risk(**found):
    return lambda run: run.attack(lambda document: document["risk"].update(found))


def measured(**found):
    return lambda run: run.measure(lambda content: content.update(found))


def after(**found):
    def change(content):
        content["after"].update(found, sensitive={"roi_label": {}})

    return lambda run: run.measure(change)


def safe_harbor_day(run):
    """A day under Safe Harbor, which the run is judged by then."""
    run.edit(f"deidentify/{CHUNK}", "series.parquet", first(lambda row: row.update(study_date="2015-03-02")))
    run.path_and_dates = {"path": "safe_harbor", "dates": "year"}


def paper(name, change):
    """A change of one of the steward's papers."""

    def plant(run):
        path = run.desk / name
        content = yaml.safe_load(path.read_text())
        changed = change(content)
        path.write_text(yaml.safe_dump(content if changed is None else changed))

    return plant


def no_breach(content):
    content["risks"] = [risk for risk in content["risks"] if risk["covers"] != "breach"]


def plant_draft_of_terms(run):
    """A steward's own paper that nobody signed."""
    (run.desk / "data_use_terms.yaml").unlink(missing_ok=True)
    shutil.copy(run.example("data_use_terms"), run.desk / "data_use_terms.yaml")


def plant_images(run):
    run.images = True
    paper("access.yaml", lambda content: content.update(artefacts=content["artefacts"][-3:]))(run)


def plant_no_signatures(run):
    (run.desk / "approvals.yaml").unlink()


def plant_open_question(run):
    paper("ethics.yaml", lambda content: content["questions"][2].update(answer="", by=""))(run)


def plant_certain_risk(run):
    paper("dpia.yaml", lambda content: content["risks"][3].update(likelihood=1.0, mitigations=[]))(run)


def sensitive(**found):
    """What protect measured of a sensitive column, all other kinds being well."""
    fine = {"l": 3, "l_entropy": 2.5, "l_recursive": 2, "t": 0.1, "t_ordered": 0.1}
    return after(**{**fine, **found})


# one for every criterion of every policy: what breaks just that measure, and the policies in which it does
PLANTS = {
    **dict(reversed(PLANTED)),
    "protect.l": sensitive(l=1),
    "protect.t": sensitive(t=0.31),
    "protect.l_entropy": sensitive(l_entropy=1.9),
    "protect.l_recursive": sensitive(l_recursive=1),
    "protect.t_ordered": sensitive(t_ordered=0.4),
    "dates.finer_than_year": safe_harbor_day,
    "protect.k": lambda run: run.measure(lambda content: content["after"].update(k=0)),
    "protect.suppressed_share": measured(suppressed_share=0.9),
    "protect.ncp": measured(ncp=0.9),
    "protect.unique_share": after(unique_share=0.9),
    "attack.linkage": share("linkage", high=0.051),
    "attack.fingerprint_top1": share("fingerprint", high=None),
    "attack.fingerprint_top5": share("fingerprint", "further", "top5", high=1.2),
    "attack.fingerprint_same_scan": share("fingerprint", "further", "same_scan", rate=None),
    "attack.site_excess": share("site", chance=None),
    "attack.differencing": share("differencing", successes=1),
    "attack.controls_failed": share("linkage", "controls", "positive", passed=False),
    "attack.marketer": risk(marketer=0.051),
    "attack.journalist": risk(journalist=0.21),
    "attack.singling_out": risk(singling_out=None),
    "attack.linkability": risk(linkability=None),
    "attack.inference": risk(inference={"rate": 0.4, "high": 0.6}),
    "attack.uniqueness": risk(uniqueness={"sample": 0.2}),
    "attack.composite": risk(composite={"R": 0.2}),
    "dpia.residual_max": plant_certain_risk,
    "dpia.missing_risks": paper("dpia.yaml", no_breach),
    "dpia.unproven_mitigations": share("linkage", "controls", "positive", passed=False),
    "documents.missing": plant_no_signatures,
    "documents.stale": plant_draft_of_terms,
    "ethics.unanswered": plant_open_question,
    "access.beyond_tier": plant_images,
}
