"""kustomize builds every overlay with every set of components, and what it gives is what Kubernetes' schemas say."""

import copy
import itertools
import json

import pytest

from tests.support.manifests import COMPONENTS, OVERLAYS, ROOT, WITH_GATEWAY_AND_TLS, combined, overlay
from tests.support.schemas import INVALID, VERSIONS, validate

SETS = [chosen for size in range(len(COMPONENTS) + 1) for chosen in itertools.combinations(COMPONENTS, size)]


def names(objects):
    return [(found["kind"], found["metadata"].get("namespace"), found["metadata"]["name"]) for found in objects]


def validate_all(manifests, version):
    for found in manifests.objects:
        validate(found, version)
    assert len(set(names(manifests.objects))) == len(manifests.objects)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_is_valid(name, version):
    validate_all(overlay(name), version)


@pytest.mark.parametrize("chosen", SETS, ids=lambda chosen: "+".join(chosen) or "none")
def test_the_base_with_any_components_is_valid(chosen):
    validate_all(combined("base", chosen), VERSIONS[-1])


@pytest.mark.parametrize("chosen", [("tls",), ("gateway-ingress",), tuple(COMPONENTS)], ids="+".join)
def test_components_go_on_top_of_the_dev_overlay(chosen):
    validate_all(combined("overlays/dev", chosen), VERSIONS[-1])


@pytest.mark.parametrize("chosen", [("gateway-ingress",), ("gateway-ingress", WITH_GATEWAY_AND_TLS)], ids="+".join)
def test_components_go_on_top_of_the_production_overlay(chosen):
    validate_all(combined("overlays/production", chosen), VERSIONS[-1])


def test_a_gateway_speaks_tls_to_a_hub_that_does():
    manifests = combined("base", ("gateway-ingress", "tls", WITH_GATEWAY_AND_TLS))
    validate_all(manifests, VERSIONS[-1])
    policy = manifests.one("BackendTLSPolicy")["spec"]
    services = {service["metadata"]["name"] for service in manifests.of("Service")}
    routed = {route["spec"]["rules"][0]["backendRefs"][0]["name"]
              for kind in ("GRPCRoute", "HTTPRoute") for route in manifests.of(kind)}
    assert {target["name"] for target in policy["targetRefs"]} == routed <= services
    assert manifests.one("Gateway")["spec"]["tls"]["backend"]["clientCertificateRef"]["name"] == "millrace-client-tls"


def settings(manifests):
    return next(found["data"] for found in manifests.of("ConfigMap") if "MILLRACE_LISTEN" in found["data"])


def test_behind_a_gateway_no_address_has_a_limit():
    limits = {"MILLRACE_MAX_CONNECTIONS_PER_ADDRESS": "0", "MILLRACE_MAX_STREAMS_PER_ADDRESS": "0"}
    assert not limits.keys() & settings(combined("base", ())).keys()
    assert limits.items() <= settings(combined("base", ("gateway-ingress",))).items()


def plant(path, value):
    def planted(found):
        *parents, last = path
        for key in parents:
            found = found[key]
        found[last] = value
    return planted


PLANTED = {
    "unknown field": ("StatefulSet", plant(["spec", "template", "spec", "securtyContext"], {})),
    "wrong type": ("StatefulSet", plant(["spec", "replicas"], "one")),
    "no selector": ("StatefulSet", lambda found: found["spec"].pop("selector")),
    "wrong field of a custom resource": ("ServiceMonitor", plant(["spec", "endpoints", 0, "ports"], "web")),
    "wrong value of a custom resource": ("ServiceMonitor", plant(["spec", "endpoints", 0, "scheme"], "gopher")),
    "wrong route": ("GRPCRoute", plant(["spec", "rules", 0, "backendRefs", 0, "port"], "grpc")),
    "unknown version": ("CronJob", plant(["apiVersion"], "batch/v9")),
}


@pytest.mark.parametrize(("kind", "planted"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_mistake_is_found(kind, planted):
    found = copy.deepcopy(combined("base", tuple(COMPONENTS)).one(kind))
    validate(found, VERSIONS[-1])
    planted(found)
    with pytest.raises(INVALID):
        validate(found, VERSIONS[-1])


@pytest.mark.parametrize(("name", "namespace"), [("dev", "millrace-dev"), ("production", "millrace")])
def test_an_overlay_lives_in_its_own_namespace(name, namespace):
    for kind, of, called in names(overlay(name).objects):
        if kind == "Namespace":
            assert called == namespace
        else:
            assert of == namespace, (kind, called)


def test_there_is_one_of_everything_that_a_hub_needs():
    production = {kind for kind, _, _ in names(overlay("production").objects)}
    assert production >= {"Namespace", "StatefulSet", "Service", "ServiceAccount", "ConfigMap", "PodDisruptionBudget",
                          "ServiceMonitor", "NetworkPolicy", "CronJob", "PersistentVolumeClaim"}


def test_the_dashboard_is_the_one_in_the_repository():
    dashboard = overlay("production").one("ConfigMap", "millrace-dashboard")
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(dashboard["data"]["millrace.json"]) == \
        json.loads((ROOT / "deploy/grafana/millrace.json").read_text())


def test_a_change_of_the_settings_renames_them_so_that_the_hub_is_restarted():
    used = {overlay(name).hub["envFrom"][0]["configMapRef"]["name"] for name in OVERLAYS}
    assert len(used) == len(OVERLAYS)
