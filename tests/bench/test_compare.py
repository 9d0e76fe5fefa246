"""The parts of the comparison that measure nothing: percentiles, who is ahead, table and plot."""

import json
import xml.etree.ElementTree

import pytest

from tests.bench.compare import __main__ as compare
from tests.bench.compare import figures, plan, plot, report
from tests.bench.compare.figures import Spread
from tests.bench.compare.measuring import metrics_of
from tests.bench.compare.systems import DEFAULT_SYSTEMS, SYSTEMS


@pytest.mark.parametrize("share, expected", [(0.5, 50), (0.99, 99), (0.999, 100), (1, 100), (0, 1)])
def test_a_percentile_is_a_value_that_was_measured(share, expected):
    assert figures.percentile(list(range(1, 101)), share) == expected


def test_a_percentile_of_one_value_is_that_value():
    assert figures.percentile([7], 0.999) == 7


def test_there_is_no_percentile_of_nothing():
    with pytest.raises(ValueError):
        figures.percentile([], 0.5)


def test_latencies_become_milliseconds():
    found = metrics_of(json.dumps({"metrics": {"records_per_second": 5},
                                   "latencies_ns": {"delivered": [3_000_000, 1_000_000, 2_000_000]}}))
    assert found == {"records_per_second": 5, "delivered_p50_ms": 2, "delivered_p99_ms": 3,
                     "delivered_p999_ms": 3, "delivered_max_ms": 3, "delivered_count": 3}


def test_a_run_without_a_latency_is_a_failure():
    with pytest.raises(ValueError):
        metrics_of('{"metrics": {}, "latencies_ns": {"delivered": null}}')


def test_a_spread_is_the_median_and_the_range():
    assert Spread.of([5, 1, 9, 2]) == Spread(median=3.5, low=1, high=9, count=4)


@pytest.mark.parametrize("ours, theirs, higher_is_better, expected", [
    ([10, 11, 12], [7, 8, 9], True, "ahead"),
    ([10, 11, 12], [7, 8, 9], False, "behind"),
    ([7, 8, 9], [10, 11, 12], True, "behind"),
    ([7, 8, 9], [10, 11, 12], False, "ahead"),
    ([10, 11, 12], [7, 8, 10], True, "no order"),  # The ranges touch.
    ([1, 100, 101], [50, 60, 70], True, "no order"),
    ([10], [7, 8, 9], True, "one round"),
])
def test_an_order_is_claimed_only_where_ranges_part(ours, theirs, higher_is_better, expected):
    assert figures.verdict(Spread.of(ours), Spread.of(theirs), higher_is_better) == expected


def test_the_best_of_latencies_is_the_least():
    spreads = {"one": Spread.of([3]), "other": Spread.of([2])}
    assert figures.best_of(spreads, higher_is_better=False) == "other"
    assert figures.best_of(spreads, higher_is_better=True) == "one"
    assert figures.best_of({}, higher_is_better=True) is None


@pytest.mark.parametrize("value, expected", [
    (1234567, "1,234,567"), (123.4, "123"), (12.34, "12.3"), (0.0123, "0.0123"), (99.99, "100"),
    (0, "0"),
])
def test_numbers_keep_three_digits(value, expected):
    assert report.number(value) == expected


def sample(system, durability, rates, work="produce-1k-1p"):
    return [{"round": number, "work": work, "class": durability, "system": system,
             "load_average": 1.0, "device": {"flushes": 1, "written_bytes": 4096 * rate},
             "metrics": {"records_per_second": rate, "acknowledged_records": rate,
                         "peak_rss_mb": 10.0}}
            for number, rate in enumerate(rates)]


def limits(rounds, work="produce-1k-1p"):
    return [{"round": number, "work": work, "values": {
        "append_fdatasync_1024k": {"mb_per_second": 512.0, "p50_us": 1.0, "p99_us": 2.0},
        "loopback_round_trip_64b": {"per_second": 10000, "p50_us": 1.0, "p99_us": 2.0}}}
            for number in range(rounds)]


def run_of(*samples):
    return {"quick": False, "limits": limits(3), "versions": {"millrace": "1", "redis": "2"},
            "machine": {"date": "a day", "cpu": "a cpu", "cpus": 2, "kernel": "6", "memory_gib": 4,
                        "filesystem": "ext4", "commit": "abc"},
            "samples": [each for some in samples for each in some]}


def row(text, title, durability, figure):
    found = [line for line in text.splitlines() if line.startswith(f"| {title} | {durability} | {figure}")]
    assert len(found) == 1, found
    return [part.strip() for part in found[0].strip("|").split("|")]


def test_the_table_holds_medians_ranges_and_the_ratio_to_the_best_peer_of_the_class():
    text = report.markdown(run_of(
        sample("millrace", "d0", [300_000, 310_000, 320_000]),
        sample("redis", "d0", [100_000, 110_000, 120_000]),
        sample("kafka", "d0", [150_000, 155_000, 160_000]),
        sample("kafka", "d2", [900_000, 900_000, 900_000])), plan.FULL)
    cells = row(text, "produce 1 KB, 1 producer", "D0", "acknowledged")
    assert cells[3:] == ["310 (300-320)", "155 (150-160)", "110 (100-120)", "2x Kafka, ahead"]


def test_classes_are_never_ranked_across():
    text = report.markdown(run_of(
        sample("millrace", "d1", [300_000, 310_000, 320_000]),
        sample("kafka", "d2", [150_000, 155_000, 160_000])), plan.FULL)
    assert row(text, "produce 1 KB, 1 producer", "D1", "acknowledged")[-1] == "-"
    assert row(text, "produce 1 KB, 1 producer", "D2", "acknowledged")[-1] == "-"
    beside = [line for line in text.splitlines() if "Kafka: 155 (150-160)" in line]
    assert len(beside) == 1 and beside[0].endswith("| 2x, apart |")


def test_a_failure_is_told_in_its_cell_and_below_the_table():
    broken = sample("redis", "d0", [1000])[0] | {"round": 2, "error": "it\nwent away"}
    del broken["metrics"]
    text = report.markdown(run_of(sample("millrace", "d0", [2000, 2000]),
                                  sample("redis", "d0", [1000, 1000]), [broken]), plan.FULL)
    assert row(text, "produce 1 KB, 1 producer", "D0", "acknowledged")[4] == "1 (1-1) failed 1 of 3"
    assert "- produce-1k-1p, D0, redis, round 3: it went away" in text


def test_what_always_fails_has_no_figure():
    broken = {key: value for key, value in sample("redis", "d0", [1])[0].items() if key != "metrics"}
    text = report.markdown(run_of(sample("millrace", "d0", [2000, 2000]),
                                  [broken | {"error": "no"}]), plan.FULL)
    cells = row(text, "produce 1 KB, 1 producer", "D0", "acknowledged")
    assert cells[4:] == ["failed 1 of 1", "-"]


def test_the_hub_by_plain_stubs_is_no_peer():
    text = report.markdown(run_of(sample("millrace", "d0", [2000, 2000]),
                                  sample("millrace-stubs", "d0", [1000, 1000])), plan.FULL)
    assert row(text, "produce 1 KB, 1 producer", "D0", "acknowledged")[-1] == "-"


def test_synced_payload_is_set_against_the_disk():
    text = report.markdown(run_of(sample("millrace", "d1", [250_000, 250_000, 250_000])), plan.FULL)
    assert ("- Millrace, produce 1 KB, 1 producer, D1: 50 (50-50) % of append + fdatasync of 1 MiB in "
            "the same minute; the device wrote 4 (4-4) bytes for each byte of payload.") in text


def test_flushes_are_told_for_each_record_of_a_single_client():
    alone = sample("redis", "d1", [100, 100], work="single-1c")
    for each, flushes in zip(alone, (100, 300)):
        each["device"] = {"flushes": flushes, "written_bytes": 0}
    text = report.markdown(run_of(alone), plan.FULL)
    assert ("- Flushes of the device for each record, one client at a time, D1: "
            "Redis Streams 2 (1-3).") in text


def test_the_plot_has_a_bar_for_each_system():
    text = plot.svg(run_of(sample("millrace", "d0", [2000, 4000]), sample("redis", "d0", [1000])),
                    plan.FULL)
    drawn = xml.etree.ElementTree.fromstring(text)
    bars = [shape for shape in drawn.iter() if shape.tag.endswith("rect")
            and shape.get("fill") in plot.COLOURS.values()]
    assert len(bars) == 2


def test_only_names_works_by_their_beginning():
    every = [work.name for work in plan.works(plan.FULL)]
    assert [work.name for work in plan.chosen_works(plan.FULL, [])] == every
    assert [work.name for work in plan.chosen_works(plan.FULL, ["produce-1k", "start"])] == [
        "produce-1k-1p", "produce-1k-4p", "start"]
    with pytest.raises(ValueError, match="no work 'prod'"):
        plan.chosen_works(plan.FULL, ["prod"])


def test_works_have_names_of_their_own():
    names = [work.name for work in plan.works(plan.FULL)]
    assert len(set(names)) == len(names)


def test_every_system_has_a_colour_and_a_setting_for_its_classes():
    for name in SYSTEMS:
        assert name in plot.COLOURS
        assert SYSTEMS[name].classes and set(SYSTEMS[name].classes) <= set(plan.CLASSES)
    assert set(DEFAULT_SYSTEMS) <= set(SYSTEMS)


class FakeSystem:
    classes = {"d0": "", "d1": ""}

    def __init__(self, *_):
        pass

    def version(self):
        return "1"


class FakeBench:
    """Notes what is measured. What `fails` names fails."""

    fails = ()
    measured = []

    def __init__(self, *_):
        pass

    def limits(self):
        return {}

    def sample(self, system, work, durability):
        self.measured.append((work.name, durability))
        found = {"system": "millrace", "work": work.name, "class": durability}
        fails = (work.name, durability) in self.fails
        return found | ({"error": "no"} if fails else {"metrics": {"records_per_second": 1}})


def test_a_run_that_goes_on_measures_what_is_missing_and_what_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(compare, "SYSTEMS", {"millrace": FakeSystem})
    monkeypatch.setattr(compare, "Bench", FakeBench)
    monkeypatch.setattr(compare, "write", lambda run, *_: None)
    monkeypatch.setattr(FakeBench, "measured", [])

    def go_on(run, *arguments):
        FakeBench.measured.clear()
        options = compare.parsed(["--systems", "millrace", "--out", str(tmp_path), *arguments])
        compare.measure(options, run)
        return sorted(FakeBench.measured)

    run = {"quick": False, "machine": {}, "versions": {}, "limits": [], "samples": []}
    monkeypatch.setattr(FakeBench, "fails", (("single-1c", "d1"),))
    assert go_on(run, "--only", "single-1c", "--rounds", "1") == [
        ("single-1c", "d0"), ("single-1c", "d1")]
    monkeypatch.setattr(FakeBench, "fails", ())
    assert go_on(run, "--only", "single-1c", "--rounds", "1") == [("single-1c", "d1")]
    assert go_on(run, "--only", "single", "--rounds", "1") == [
        ("single-64c", "d0"), ("single-64c", "d1")]
    assert go_on(run, "--only", "single", "--rounds", "1") == []
    assert len(go_on(run, "--only", "single", "--rounds", "2")) == 4
    assert len(run["samples"]) == 8 and not any("error" in sample for sample in run["samples"])
