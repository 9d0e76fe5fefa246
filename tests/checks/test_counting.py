"""The counting behind the closing line of tests/run.sh."""

import pathlib
import subprocess
import sys

import pytest

STAGES = pathlib.Path(__file__).resolve().parents[1] / "stages"

PASSING = '<testcase classname="Suite" name="Passes" status="run"/>'
FAILING = '<testcase classname="Suite" name="Fails" status="run"><failure message="why"/></testcase>'
DISABLED = '<testcase classname="Suite" name="Disabled" status="notrun"/>'


@pytest.fixture
def stage(tmp_path):
    made = tmp_path / "unit"
    made.mkdir()
    return made


def report(stage, name, *cases):
    (stage / name).write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")


def tally(stage):
    done = subprocess.run([sys.executable, STAGES / "tally.py", stage.parent], capture_output=True, text=True)
    return done.returncode, done.stdout


def programs(stage):
    subprocess.run([sys.executable, STAGES / "programs.py", stage], check=True)


def closing_line(stage):
    return tally(stage)[1].splitlines()[-1]


def test_cases_of_reports_and_checks_of_scripts_are_added_up(stage):
    report(stage, "a_test.xml", PASSING, PASSING, DISABLED)
    (stage / "checks.tsv").write_text("passed\tone\nskipped\ttwo\tno tool\n")
    assert tally(stage)[0] == 0
    assert closing_line(stage) == "3 passed, 0 failed, 2 skipped"


def test_a_failure_is_named_and_fails_the_run(stage):
    report(stage, "a_test.xml", PASSING, FAILING)
    status, told = tally(stage)
    assert status == 1
    assert "failed: Suite.Fails: why" in told
    assert closing_line(stage) == "1 passed, 1 failed"


def test_a_run_without_tests_fails(stage):
    assert tally(stage)[0] == 1
    assert closing_line(stage) == "0 passed, 0 failed"


def test_a_stage_that_ended_badly_without_a_failed_test_counts_as_one(stage):
    report(stage, "a_test.xml", PASSING)
    (stage / "stage.tsv").write_text("failed\tended with status 1\n")
    assert closing_line(stage) == "1 passed, 1 failed"


def test_a_stage_that_ended_badly_with_a_failed_test_counts_no_more(stage):
    report(stage, "a_test.xml", FAILING)
    (stage / "stage.tsv").write_text("failed\tended with status 1\n")
    assert closing_line(stage) == "0 passed, 1 failed"


def test_a_cut_off_report_counts_as_a_failure(stage):
    (stage / "pytest.xml").write_text("<testsuites><testca")
    assert closing_line(stage) == "0 passed, 1 failed"


def test_a_program_that_crashed_counts_as_a_failure(stage):
    (stage / "ctest.junit").write_text('<testsuite><testcase name="a_test" status="fail"/></testsuite>')
    (stage / "a_test.xml").write_text("<testsuites><testca")
    programs(stage)
    assert closing_line(stage) == "0 passed, 1 failed"


def test_a_program_that_fails_at_its_end_counts_beside_its_cases(stage):
    (stage / "ctest.junit").write_text('<testsuite><testcase name="a_test" status="fail"/></testsuite>')
    report(stage, "a_test.xml", PASSING)
    programs(stage)
    assert closing_line(stage) == "1 passed, 1 failed"


def test_a_program_that_is_no_googletest_counts_as_one(stage):
    (stage / "ctest.junit").write_text('<testsuite><testcase name="script" status="run"/></testsuite>')
    programs(stage)
    assert closing_line(stage) == "1 passed, 0 failed"
