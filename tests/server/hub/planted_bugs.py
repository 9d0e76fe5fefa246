#!/usr/bin/env python3
"""Plants bugs in the group coordinator, one at a time, and shows that its tests catch each.

    tests/server/hub/planted_bugs.py --build build [--schedules 20000]

Compiles copies of the two source files beside the objects of group_model_test; the sources
stay as they are. Prints a line a bug: caught, and by which rule. Exits 1 if one is not caught, or
can no longer be planted.
"""
import argparse
import os
import pathlib
import re
import shlex
import json
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
COORDINATOR = "server/hub/group_coordinator.cc"
BALANCER = "server/hub/partition_balancer.cc"

# What goes wrong, where, the text that is replaced, by what.
BUGS = [
    ("assigns while a commit is under way", COORDINATOR,
     " || slot.commits_under_way > 0) return;", ") return;"),
    ("does not count a commit", COORDINATOR, "  ++slot->commits_under_way;\n", ""),
    ("does not hold a partition over a reset", COORDINATOR,
     "if (it != slots_.end()) ++it->second.commits_under_way;", ""),
    ("hands over before it is committed", COORDINATOR, "committed >= *slot.delivered", "true"),
    ("forgets the epoch of a session", COORDINATOR, " || it->second->session != session", ""),
    ("gives a broken instance no grace", COORDINATOR,
     "if (member->instance_id.empty()) {\n    Remove", "if (true) {\n    Remove"),
    ("waits for ever after a restart", COORDINATOR,
     "now + (member.instance_id.empty()", "now + absl::Hours(9) + (member.instance_id.empty()"),
    ("moves everything at every join", COORDINATOR, "kept ? place_of(target) : kNobody", "kNobody"),
    ("leaves a replaced stream open", COORDINATOR, "if (member.connected()) {\n    actions_",
     "if (false) {\n    actions_"),
    ("forgets to assign again after a rejoin", COORDINATOR,
     "    slot.announced = false;\n    if (slot.revoking)", "    if (slot.revoking)"),
    ("keeps a member that leaves", COORDINATOR,
     "EndingReason::kLeft});\n  Remove(*member);", "EndingReason::kLeft});"),
    ("lets a revocation last for ever", COORDINATOR,
     "if (!slot.revoking || slot.deadline > now) continue;", "continue;"),
    ("takes away at half of the revoke_timeout", COORDINATOR,
     "now + slot.owner->revoke_timeout", "now + slot.owner->revoke_timeout / 2"),
    ("gives a released partition back", COORDINATOR,
     "  slot->avoid = slot->owner;\n  if (slot->target == slot->owner) slot->target = nullptr;\n"
     "  GiveUp(*slot, cause);", "  GiveUp(*slot, cause);"),
    ("tells nobody that a topic is gone", COORDINATOR,
     "if (gone) GiveUp(slot, LostCause::kTopicDeleted);", "if (gone) Free(slot);"),
    ("does not notice that a topic grew", COORDINATOR, "if (changed) Rebalance(now);", ""),
    ("is content with a difference of two", BALANCER,
     "LoadOf(giver) < LoadOf(receiver) + 2", "LoadOf(giver) < LoadOf(receiver) + 3"),
    ("gives partitions to whoever is away", BALANCER,
     "if (!members_[m].receives) continue;", ""),
]


def compile_commands(build):
    entries = json.loads(subprocess.run(
        ["ninja", "-C", build, "-t", "compdb"], check=True, capture_output=True, text=True).stdout)
    return {entry["file"]: entry for entry in entries}


def compile_copy(entry, source, output):
    words = [word for word in shlex.split(entry["command"]) if "ccache" not in word]
    kept, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT", "-c"):
            skip = True
        elif word != "-MD" and not word.startswith("-O"):
            kept.append(word)
    subprocess.run([*kept, "-w", "-O1", "-o", output, "-c", source], check=True, cwd=entry["directory"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--schedules", type=int, default=20_000)
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    entries = compile_commands(build)
    objects = sorted(build.glob("tests/server/hub/CMakeFiles/group_model_test.dir/*.o"))
    if not objects:
        sys.exit("planted_bugs.py: build group_model_test first")
    missed = 0
    with tempfile.TemporaryDirectory(prefix="millrace-planted-") as folder:
        folder = pathlib.Path(folder)

        def outcome(sources):
            made = []
            for path, text in sources.items():
                copy = folder / pathlib.Path(path).name
                copy.write_text(text)
                made.append(copy.with_suffix(".o"))
                compile_copy(entries[str(ROOT / path)], copy, made[-1])
            # What is given here comes before what the library has.
            subprocess.run(["c++", "-o", folder / "test", *objects, *made, build / "lib/libmillrace_hub.a",
                            *build.glob("lib/libmillrace_storage.a"), "-lgtest_main", "-lgtest",
                            "-labsl_time", "-labsl_time_zone", "-labsl_int128", "-labsl_base",
                            "-labsl_raw_logging_internal", "-labsl_status", "-labsl_strings",
                            "-labsl_cord", "-lpthread"], check=True)
            environment = dict(os.environ, MILLRACE_MODEL_SCHEDULES=str(arguments.schedules))
            run = subprocess.run([folder / "test"], capture_output=True, text=True, env=environment)
            return run.returncode, run.stdout

        clean = {path: (ROOT / path).read_text() for path in (COORDINATOR, BALANCER)}
        status, text = outcome(clean)
        if status != 0:
            sys.exit("planted_bugs.py: the tests fail without a bug planted:\n" + text)
        for what, path, before, after in BUGS:
            if clean[path].count(before) != 1:
                print(f"NOT PLANTED  {what}: its text is there {clean[path].count(before)} times", flush=True)
                missed += 1
                continue
            status, text = outcome({path: clean[path].replace(before, after)})
            rule = re.search(r"(seed \d+): broken rule: ([^\\\n]*)", text)
            failed = re.findall(r"\[  FAILED  \] (\S+) \(", text)
            by = f"{rule[2]} ({rule[1]})" if rule else ", ".join(failed) or f"its end, status {status}"
            print(f"{'caught     ' if status else 'NOT CAUGHT '}  {what}" + (f": {by}" if status else ""),
                  flush=True)
            missed += status == 0
    print(f"{len(BUGS) - missed} of {len(BUGS)} caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
