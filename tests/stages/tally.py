"""Counts what the stages of tests/run.sh reported, and says what failed.

A stage reports into DIR/STAGE/: JUnit XML files (GoogleTest, pytest), and *.tsv files with a line
"passed|failed|skipped <tab> name [<tab> why]" for every check of a script. The last line printed
is "N passed, N failed", with ", N skipped" where there are any.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter


def outcomes_of_xml(path):
    """Yields (outcome, name, why) for every test case of a JUnit file."""
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        yield "failed", path.stem, f"unreadable report: {error}"
        return
    for case in root.iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        failure = case.find("failure") if case.find("failure") is not None else case.find("error")
        if failure is not None:
            yield "failed", name, (failure.get("message") or "").strip().split("\n")[0]
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            yield "skipped", name, ""
        else:
            yield "passed", name, ""


def outcomes_of_tsv(path):
    for line in path.read_text().splitlines():
        outcome, name, *why = line.split("\t")
        yield outcome, name, why[0] if why else ""


def outcomes_of(stage):
    for path in sorted(stage.rglob("*")):
        if path.suffix == ".xml":
            yield from outcomes_of_xml(path)
        elif path.suffix == ".tsv" and path.name != "stage.tsv":
            yield from outcomes_of_tsv(path)


def tally(reports):
    """Returns the count of each outcome; prints a line a stage and one for every failure."""
    total = Counter()
    for stage in sorted((p for p in reports.iterdir() if p.is_dir()), key=lambda p: p.stat().st_ctime):
        outcomes = list(outcomes_of(stage))
        ended = stage / "stage.tsv"
        if ended.exists() and not any(outcome == "failed" for outcome, _, _ in outcomes):
            outcomes += outcomes_of_tsv(ended)
        counts = Counter(outcome for outcome, _, _ in outcomes)
        print(f"{stage.name:<14} {counts['passed']} passed, {counts['failed']} failed,"
              f" {counts['skipped']} skipped")
        for outcome, name, why in outcomes:
            if outcome == "failed" or (outcome == "skipped" and why):
                print(f"  {outcome}: {name}" + (f": {why}" if why else ""))
        total += counts
    return total


def main():
    total = tally(pathlib.Path(sys.argv[1]))
    skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
    print(f"{total['passed']} passed, {total['failed']} failed{skipped}")
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
