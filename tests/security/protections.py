"""What protects a run, line by line, each with a test that notices when the line is taken out."""

from __future__ import annotations

from typing import NamedTuple


class Protection(NamedTuple):
    """`text` stands once in the file; with `without` in its place the test must fail."""

    name: str
    file: str  # below src/radcurate
    text: str
    without: str
    test: str  # below tests


POOL = "stages/test_pool.py"
LOST = f"{POOL}::test_what_is_lost_costs_itself_alone"
CHAIN, RECORD = "audit/test_audit_chain.py", "audit/test_audit_run.py"
BOMBS, WRITTEN = "security/test_dicom_bombs.py", "faults/test_written_files.py"
TOLD = f"{BOMBS}::test_a_bomb_is_told_by_its_header"

FAULTS = (
    Protection(
        "a worker that is killed is tried again",
        "stages/_pool.py",
        "if answer.lost not in (None, TIMEOUT) and position not in self.failed_once:",
        "if False:",
        f"{POOL}::test_who_is_killed_once_loses_nothing",
    ),
    Protection(
        "and given up after the second time",
        "stages/_pool.py",
        "TIMEOUT) and position not in self.failed_once:",
        "TIMEOUT) and len(self.failed_once) < 9:",
        f"{LOST}[always_killed-killed-1]",
    ),
    Protection(
        "a series that hangs is ended",
        "stages/_pool.py",
        "elif time.monotonic() >= deadline:",
        "elif time.monotonic() >= deadline + 3600:",
        f"{LOST}[hangs-timeout-1]",
    ),
    Protection(
        "a series has the time that it was given",
        "stages/_pool.py",
        "allowed = seconds_allowed() * max(1, self.series(self.items[position]))",
        "allowed = seconds_allowed()",
        f"{POOL}::test_more_series_have_more_time",
    ),
    Protection(
        "what lacks memory is a row",
        "stages/_worker.py",
        "return Answer(lost=MEMORY)",
        "raise",
        f"{LOST}[no_memory-out_of_memory-1]",
    ),
    Protection(
        "no worker outlives its stage",
        "stages/_pool.py",
        "for worker in [*self.busy, *self.idle]:",
        "for worker in ():",
        f"{POOL}::test_who_still_works_when_another_fails_is_ended",
    ),
    Protection(
        "a stage that makes no rows says that a process was lost",
        "stages/_pool.py",
        'raise CurationError(\n        "a process of this work was lost"',
        'return dict(\n        problem="a process of this work was lost"',
        f"{POOL}::test_a_work_that_makes_no_rows_says_that_a_process_was_lost",
    ),
    Protection(
        "only the stage where a series was lost is made again",
        "stages/_again.py",
        "known.update(series for series, _ in rows)",
        "known.clear()",
        "faults/test_retry.py::test_only_where_it_was_lost_is_asked_for",
    ),
    Protection(
        "what is wrong with data is not made again",
        "stages/_again.py",
        'if row["reason"] in losses.AGAIN]',
        'if row["reason"]]',
        "faults/test_retry.py::test_only_where_it_was_lost_is_asked_for",
    ),
    Protection(
        "a second request counts",
        "stages/_again.py",
        "or 0) + 1}",
        "or 0) * 0 + 1}",
        "faults/test_retry.py::test_only_where_it_was_lost_is_asked_for",
    ),
    Protection(
        "one writer at a time",
        "stages/_lock.py",
        "except BlockingIOError:\n        return False",
        "except BlockingIOError:\n        return True",
        "faults/test_one_writer.py::test_a_job_waits_for_the_orphan_of_a_killed_run",
    ),
    Protection(
        "nobody waits for ever",
        "stages/_lock.py",
        "if time.monotonic() >= until:",
        "if told and time.monotonic() >= until + 5:\n            return\n        if False:",
        "faults/test_one_writer.py::test_nobody_waits_for_ever",
    ),
    Protection(
        "images are compared with what their stage wrote",
        "stages/_written.py",
        "return path.stat().st_size != written.size or written_as(path, written.split) != written",
        "return path.stat().st_size != written.size",
        f"{WRITTEN}::test_what_was_changed_is_named",
    ),
    Protection(
        "a file that is gone is noticed",
        "stages/_written.py",
        '"gone": len(listing.keys() - there),',
        '"gone": 0,',
        f"{WRITTEN}::test_what_was_changed_is_named",
    ),
    Protection(
        "a file too many is noticed",
        "stages/_written.py",
        '"more than there were": len(there - listing.keys()),',
        '"more than there were": 0,',
        f"{WRITTEN}::test_what_was_changed_is_named",
    ),
    Protection(
        "the list of images is sealed",
        "stages/_written.py",
        "seals.write_seal(out, [*names, FILES], key)",
        "seals.write_seal(out, list(names), key)",
        f"{WRITTEN}::test_the_list_is_sealed",
    ),
    Protection(
        "a bit that flips in a linked file isn't made good by the next list",
        "stages/_written.py",
        "_linked(path, source, listing.get(folder.name, {})) or written_as(path)",
        "written_as(path)",
        f"{WRITTEN}::test_a_linked_file_keeps_what_its_writer_said",
    ),
    Protection(
        "a table is read only where its seal holds",
        "seals.py",
        "hmac.compare_digest(",
        "bool(",
        "test_seals.py",
    ),
    Protection(
        "times that lie ahead are mended",
        "operation/clock.py",
        "os.utime(path, (now, now))",
        "pass",
        "operation/test_operation_clock.py::test_what_lies_ahead_gets_the_time_of_now",
    ),
)

AUDIT = (
    Protection(
        "an edited entry",
        "audit/check.py",
        "if entry.digest != entry.expected_digest():",
        "if False:",
        f"{CHAIN}::test_an_edit_shows",
    ),
    Protection(
        "an entry follows the one before",
        "audit/check.py",
        "if entry.previous != previous:",
        "if False:",
        f"{CHAIN}::test_an_entry_of_another_branch_shows",
    ),
    Protection(
        "an entry is sealed with the key",
        "audit/check.py",
        "if entry.key_id == key.key_id and not hmac.compare_digest(entry.seal, seal_of(key, entry.digest)):",
        "if False:",
        f"{CHAIN}::test_a_chain_made_without_the_key_shows",
    ),
    Protection(
        "the end of the record",
        "audit/check.py",
        "problems += _of_heads(whole, folder, key)",
        "",
        f"{CHAIN}::test_a_cut_end_shows_by_the_head",
    ),
    Protection(
        "an older copy of record and head",
        "audit/check.py",
        '*([("your own head of it", own)] if own else [])',
        "",
        f"{CHAIN}::test_an_older_copy_that_is_put_back_shows_by_the_users_own_head",
    ),
    Protection(
        "a head is sealed with the key",
        "audit/check.py",
        "if head.key_id == key.key_id and not head.holds(key):",
        "if False:",
        f"{CHAIN}::test_an_edited_or_missing_head_shows",
    ),
    Protection(
        "a head must be there",
        "audit/check.py",
        "if beside is None:",
        "if beside is None:\n        return []\n    if False:",
        f"{CHAIN}::test_an_edited_or_missing_head_shows",
    ),
    Protection(
        "nothing is appended to a record that was cut",
        "audit/chain.py",
        "if broken or (head and head.holds(key) and head.number > (last.number if last else 0)):",
        "if broken:",
        f"{CHAIN}::test_nothing_is_appended_to_a_record_that_was_cut",
    ),
    Protection(
        "a torn line is removed",
        "audit/chain.py",
        "if lines[-1]:  # the last part follows the last line's end",
        "if False:",
        f"{CHAIN}::test_a_line_torn_by_a_power_cut_is_no_entry_and_the_record_goes_on",
    ),
    Protection(
        "one writer of the record at a time",
        "audit/chain.py",
        "            lock.mkdir(mode=0o700)\n            break",
        "            lock.mkdir(mode=0o700, exist_ok=True)\n            break",
        f"{CHAIN}::test_writers_at_once_wait_for_each_other",
    ),
    Protection(
        "a dead writer's lock goes",
        "audit/chain.py",
        "if waited > patience:",
        "if waited > 1:\n                raise TimeoutError\n            if False:",
        f"{CHAIN}::test_the_lock_of_a_dead_process_does_not_stay",
    ),
    Protection(
        "the record is closed to others",
        "audit/chain.py",
        "os.fchmod(handle, 0o600)",
        "os.fchmod(handle, 0o644)",
        f"{CHAIN}::test_files_are_private_under_any_umask",
    ),
    Protection(
        "no run goes on without its record",
        "audit/chain.py",
        "    except OSError as error:\n        raise CurationError(",
        "    except ZeroDivisionError as error:\n        raise CurationError(",
        f"{CHAIN}::test_a_record_that_cant_be_written_is_explained_without_a_path",
    ),
)

BOUNDS = (
    Protection(
        "elements of a file",
        "dicom/limits.py",
        "if self.elements > MOST_ELEMENTS:",
        "if False:",
        f"{TOLD}[tiny_elements.dcm]",
    ),
    Protection(
        "items of a file",
        "dicom/limits.py",
        "    walk.count(0)\n    known = length != UNDEFINED",
        "    known = length != UNDEFINED",
        f"{TOLD}[tiny_items.dcm]",
    ),
    Protection(
        "nesting",
        "dicom/limits.py",
        "if len(self.levels) > 2 * DEPTH + 1:",
        "if False:",
        f"{TOLD}[deep_endless.dcm]",
    ),
    Protection(
        "what a deflated file becomes",
        "dicom/limits.py",
        "if len(content) > LARGEST_INFLATED:",
        "if False:",
        f"{BOMBS}::test_a_text_that_inflates_without_end_is_refused_by_all",
    ),
    Protection(
        "fragments, by their heads",
        "dicom/pixels.py",
        "if count > MOST_FRAGMENTS:",
        "if False:",
        f"{TOLD}[fragments.dcm]",
    ),
    Protection(
        "fragments, as they are read",
        "dicom/elements.py",
        "if len(fragments) > MOST_FRAGMENTS:",
        "if False:",
        f"{BOMBS}::test_fragments_are_counted_as_they_are_read",
    ),
    Protection(
        "samples of a frame",
        "dicom/header.py",
        "if rows * columns * samples > LARGEST_FRAME or frames == MOST:",
        "if False:",
        f"{TOLD}[wide_rle.dcm]",
    ),
    Protection(
        "samples of a series",
        "stages/inventory.py",
        "if series.samples > settings.largest_image * MILLION:",
        "if False:",
        f"{BOMBS}::test_an_image_within_the_limit_of_a_frame_may_exceed_that_of_a_series",
    ),
    Protection(
        "bytes of a file",
        "stages/inventory.py",
        "settings.largest_file * MILLION",
        "1 << 60",
        f"{BOMBS}::test_a_file_beyond_the_limit_is_never_opened",
    ),
    Protection(
        "characters of an identifier",
        "dicom/header.py",
        "if any(len(value) > MOST_TEXT for value in header if isinstance(value, str)):",
        "if False:",
        f"{BOMBS}::test_no_identifier_of_a_thousand_letters_is_remembered",
    ),
    Protection(
        "bytes of an RLE segment",
        "deidentify/rle.py",
        "if len(data) > 2 * wanted + LONGEST_REST:",
        "if False:",
        f"{BOMBS}::test_runs_that_fill_more_than_a_plane_are_not_unpacked",
    ),
    Protection(
        "bytes of RLE that are unpacked at once",
        "deidentify/rle.py",
        "if not 0 < len(data) <= AT_ONCE:",
        "if not data:",
        f"{BOMBS}::test_a_long_segment_is_followed_instead_of_unpacked",
    ),
    Protection(
        "what a mask inflates to",
        "deidentify/nifti.py",
        "return head + stream.read(max(wanted - HEADER, 0) + 1)",
        "return head + stream.read()",
        f"{BOMBS}::test_what_follows_the_voxels_of_a_mask_is_not_unpacked",
    ),
    Protection(
        "where the voxels of a mask begin",
        "deidentify/nifti.py",
        "or start > MOST_EXTENSIONS:",
        "or start < 0:",
        f"{BOMBS}::test_a_mask_whose_voxels_begin_nowhere_near_is_refused",
    ),
    Protection(
        "a header is what the inventory read",
        "stages/deidentify.py",
        'raise Unsafe("changed_since_inventory"',
        'str("changed_since_inventory"',
        "security/test_swapped_files.py::test_it_is_noticed_wherever_it_was_changed",
    ),
)

PROTECTIONS = (*FAULTS, *AUDIT, *BOUNDS)
