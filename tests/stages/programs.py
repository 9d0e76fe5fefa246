"""Adds to a stage's report what GoogleTest could not say itself.

ctest knows how every test program ended, GoogleTest's XML which of its cases failed. A program
that failed without a failed case, or left no XML, is reported as one test of its own.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def cases_failed(xml):
    if not xml.exists():
        return None
    try:
        root = ElementTree.parse(xml).getroot()
    except ElementTree.ParseError:
        xml.unlink()  # Cut off by a crash.
        return None
    return any(case.find("failure") is not None for case in root.iter("testcase"))


def main():
    report = pathlib.Path(sys.argv[1])
    lines = []
    for program in ElementTree.parse(report / "ctest.junit").getroot().iter("testcase"):
        name = program.get("name")
        failed = cases_failed(report / f"{name}.xml")
        if program.get("status") == "run":
            if failed is None:
                lines.append(f"passed\t{name}")
        elif not failed:
            lines.append(f"failed\t{name}\tthe program itself failed")
    (report / "programs.tsv").write_text("".join(line + "\n" for line in lines))


if __name__ == "__main__":
    main()
