#!/usr/bin/env python3
"""Plants bugs in what keeps acknowledged data safe, one at a time, and shows that a test catches each.

    tests/fault/planted_bugs.py [--build build] [--cuts 1000] [--only WORDS]

Prints a line a bug: caught, and by which tests. Exits 1 if one is not caught, or can no longer be
planted.
"""
import argparse
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support.planting import Bug, plant_all  # noqa: E402

ROCKSDB = "storage/rocksdb/"
ENGINE = "rocksdb_engine_test"
CUTS = "power_cut_test"
BAD_DISK = "rocksdb_bad_disk_test"
CONTRACT = "*Contract*"
RECOVERY = "Recovery*"

BUGS = [
    Bug("answers before the sync", ROCKSDB + "committer.cc",
        "  if (set.durability == Durability::kSynced) return true;\n", "", BAD_DISK, "SlowSync*"),
    Bug("does not sync at all", ROCKSDB + "syncer.cc",
        "database_.db().SyncWAL()", "rocksdb::Status::OK()", CUTS),
    Bug("goes on after a failed sync", ROCKSDB + "syncer.cc",
        "if (!synced.ok()) {", "if (false) {", BAD_DISK, "FailedSync*"),
    Bug("shows one record too many", ROCKSDB + "committer.cc",
        "publications.push_back({draft.partition, draft.end});",
        "publications.push_back({draft.partition, draft.end + 1});", ENGINE, CONTRACT),
    Bug("shows what waits for a sync", ROCKSDB + "committer.cc",
        "    draft.wait_for_sync |= written.unsynced_group > parts_.syncer.finished();\n",
        "    draft.wait_for_sync = false;\n", BAD_DISK, "SlowSync*"),
    Bug("keeps a producer's outcomes in memory alone", ROCKSDB + "producer_store.cc",
        "  batch.Put(database_.producers(), ToSlice(rows::OutcomeKey(producer_id, slot)),\n"
        "            ToSlice(rows::EncodeOutcome(row)));\n", "", ENGINE, CONTRACT),
    Bug("stores a repetition again", "storage/commit/write_rules.cc",
        "      if (verdict != SequenceVerdict::kProceed) return Repeat(*window);\n", "", ENGINE, CONTRACT),
    Bug("lets an old epoch of a producer write", "storage/commit/producer_window.cc",
        "  if (epoch < epoch_) return SequenceVerdict::kFenced;\n", "", ENGINE, CONTRACT),
    Bug("takes a commit of an older position epoch", "storage/commit/offset_commit_rule.cc",
        "  if (wanted.position_epoch < stored_epoch) return {CommitVerdict::kSuperseded, *stored};\n", "",
        ENGINE, CONTRACT),
    Bug("lets a commit go back", "storage/commit/offset_commit_rule.cc",
        "  if (wanted.next_offset < stored->next_offset) return {CommitVerdict::kKeep, *stored};\n", "",
        ENGINE, CONTRACT),
    Bug("takes a commit beyond the end", "storage/commit/write_rules.cc",
        " || commit.next_offset > bounds->end) {", ") {", ENGINE, CONTRACT),
    Bug("keeps commits in memory alone", ROCKSDB + "committer.cc",
        "    batch_.Put(parts_.database.offsets(), ToSlice(rows::OffsetKey(key.first, key.second)),\n"
        "               ToSlice(rows::EncodeOffset(offset)));\n", "", ENGINE, CONTRACT),
    Bug("stores half of a transaction", "storage/commit/write_rules.cc",
        "        if (all_or_nothing) return decided.status();\n", "", ENGINE, CONTRACT),
    Bug("goes on under the log epoch of before a crash", ROCKSDB + "topic_store_load.cc",
        "was_clean_ ? *epoch : *epoch + kEpochsInDoubt", "*epoch", ENGINE, CONTRACT),
    Bug("takes a crash for an orderly end", ROCKSDB + "topic_store_load.cc",
        "  AddField(rows::kCleanField, 0, batch);\n", "", ENGINE, CONTRACT),
    Bug("passes over a gap in silence", ROCKSDB + "batch_reader.cc",
        "    if (base > next) break;\n", "", ENGINE, RECOVERY),
    Bug("opens a log with less than its witness", ROCKSDB + "log_survey.cc",
        "if (found >= witnessed.sequence) return", "if (true) return", ENGINE, RECOVERY),
    Bug("takes a manifest that was cut short for whole", ROCKSDB + "log_survey.cc",
        "if (*manifest < witnessed.manifest) {", "if (false) {", "rocksdb_damage_test", "*CutShort*"),
    Bug("vouches for what is not synced yet", ROCKSDB + "syncer.cc",
        "witness_.Synced(written);", "witness_.Synced(witness_.written());", BAD_DISK, "SlowSync*"),
    Bug("gives a lost offset to another record", ROCKSDB + "log_repair.cc",
        "head.end = std::max(head.end, *end);", "", ENGINE, RECOVERY),
    Bug("leaves a commit beyond the end", ROCKSDB + "log_repair.cc",
        "      offset.next_offset = head->second.end;\n", "", ENGINE, RECOVERY),
    Bug("tells nobody that a blob file is gone", ROCKSDB + "batch_reader.cc",
        " || it_->status().IsPathNotFound()", "", "rocksdb_damage_test", "*MissingFile*"),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--cuts", type=int, default=1000)
    parser.add_argument("--only", default="", metavar="WORDS", help="the bugs with these words in their name")
    arguments = parser.parse_args()
    bugs = [bug for bug in BUGS if arguments.only in bug.what]
    return 1 if plant_all(bugs, arguments.build, {"MILLRACE_CUTS": str(arguments.cuts)}) else 0


if __name__ == "__main__":
    sys.exit(main())
