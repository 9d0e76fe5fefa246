"""The Grafana dashboard and the alert rules of deploy/ ask only for what a hub really gives."""

import json
import pathlib
import re
import urllib.request

import pytest
import yaml

from tests.support.calls import DEADLINE, fill, values_of
from tests.support.scrape import Scrape

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "millrace.json").read_text())
ALERTS = [rule for group in yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
          for rule in group["rules"]]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]

SELECTOR = re.compile(r"\b((?:millrace|process)_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(?:=~|!=|!~|=)\s*"([^"]*)"')
GIVEN_BY_PROMETHEUS = {"instance", "job"}

QUERIES = {f"{panel['title']} {target['refId']}": target["expr"] for panel in PANELS for target in panel["targets"]}
QUERIES |= {rule["alert"]: rule["expr"] for rule in ALERTS}


@pytest.fixture(scope="module")
def scrape(hub):
    """What a hub gives that has been worked with."""
    from millrace.v1 import event_hub_pb2 as events
    from millrace.v1 import event_hub_pb2_grpc
    import grpc

    hub.millrace("topic", "create", "orders", "--partitions", 3)
    with grpc.insecure_channel(hub.target) as channel:
        stub = event_hub_pb2_grpc.EventHubServiceStub(channel)
        fill(stub, "orders", 3)
        values_of(stub, "orders")
        stub.CommitOffset(events.CommitOffsetRequest(
            group="billing", offsets=[events.OffsetCommit(topic="orders", next_offset=1)]), timeout=DEADLINE)
    return Scrape(hub)


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_a_query_asks_for_what_there_is(scrape, query):
    selectors = SELECTOR.findall(query) if not query.startswith("up{") else []
    assert selectors or query.startswith("up{"), "the query asks for nothing of the hub"
    for name, matchers in selectors:
        assert name in scrape.names, f"no hub gives {name}"
        labels = {label for series in scrape.values(name) for label, _ in series} | GIVEN_BY_PROMETHEUS
        for label, _ in MATCHER.findall(matchers):
            assert label in labels, f"{name} has no label {label}"
    assert query.count("(") == query.count(")") and query.count("{") == query.count("}")


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_rates_are_of_counters_and_sums_by_labels_that_there_are(scrape, query):
    kinds = {family.name: family.type for family in scrape.families}
    for name in re.findall(r"\b(?:rate|increase)\((\w+)", query):
        base = re.sub(r"_(bucket|count|sum)$", "", name)
        assert kinds.get(re.sub(r"_total$", "", name)) == "counter" or kinds.get(base) == "histogram", name
    for by, name in re.findall(r"by \(([\w, ]+)\)\s*\(?(?:rate\()?(\w+)", query):
        labels = {label for series in scrape.values(name) for label, _ in series} | GIVEN_BY_PROMETHEUS
        assert set(by.split(", ")) <= labels, f"{name} has no such labels: {by}"


def test_panels_say_what_they_show():
    assert len(PANELS) > 20
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for panel in PANELS:
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}", panel["title"]


def test_panels_do_not_overlap():
    taken = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells


def test_alerts_say_what_is_wrong_and_how_bad_it_is():
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS)
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert rule["annotations"]["summary"].endswith((".", "?")), rule["alert"]


def test_the_scrape_configuration_names_the_port_and_the_rules(hub):
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    job, = config["scrape_configs"]
    assert job["job_name"] == "millrace"
    assert job["static_configs"][0]["targets"] == ["localhost:9641"]
    assert all((DEPLOY / "prometheus" / name).is_file() for name in config["rule_files"])
    assert job.get("metrics_path", "/metrics") == "/metrics"
    with urllib.request.urlopen(f"http://localhost:{hub.web_port}/metrics", timeout=DEADLINE) as answer:
        assert answer.status == 200
