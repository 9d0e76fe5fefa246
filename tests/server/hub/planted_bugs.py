#!/usr/bin/env python3
"""Plants bugs in the group coordinator, one at a time, and shows that its tests catch each.

    tests/server/hub/planted_bugs.py [--build build] [--schedules 20000]

Prints a line a bug: caught, and by which rule. Exits 1 if one is not caught, or can no longer be
planted.
"""
import argparse
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from tests.support.planting import Bug, plant_all  # noqa: E402

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
     "return member.instance_id.empty() ? options_.settle_time : options_.rejoin_grace;", "return absl::Hours(9);"),
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--schedules", type=int, default=20_000)
    arguments = parser.parse_args()
    bugs = [Bug(*bug, program="group_model_test") for bug in BUGS]
    return 1 if plant_all(bugs, arguments.build, {"MILLRACE_MODEL_SCHEDULES": str(arguments.schedules)}) else 0


if __name__ == "__main__":
    sys.exit(main())
