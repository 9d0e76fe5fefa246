"""What the manifests say fits the hub's program and fits together: settings, ports, selectors, times."""

import json
import pathlib
import re
import subprocess

import pytest
import yaml

from tests.support.hub import MILLRACE, SERVER
from tests.support.manifests import COMPONENTS, KUBERNETES, OVERLAYS, ROOT, combined, overlay, seconds
from tests.support.secrets import OPERATIONS

BYTES = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
CACHES = ["TAIL_CACHE_BYTES", "WRITE_QUEUE_BYTES", "FRAME_BUDGET_BYTES"]
CACHE_SHARE = 0.6  # Of the memory that a hub may take; RocksDB, connections and the page cache need the rest.


def help_of(program):
    return subprocess.run([program, "--help"], check=True, capture_output=True, text=True).stdout


VARIABLES = set(re.findall(r"\(Env:(MILLRACE_\w+)\)", help_of(SERVER)))
DEFAULTS = {variable: default for default, variable in
            re.findall(r" SIZE=(\w+) \(Env:(MILLRACE_\w+)\)", help_of(SERVER))}


def size(text):
    number, unit = re.fullmatch(r"(\d+)(\w+)", text).groups()
    return int(number) * BYTES[unit]


@pytest.fixture(params=[*OVERLAYS, "everything"])
def manifests(request):
    return combined("base", tuple(COMPONENTS)) if request.param == "everything" else overlay(request.param)


@pytest.fixture
def everything():
    return combined("base", tuple(COMPONENTS))


def test_the_hub_knows_every_setting(manifests):
    assert len(VARIABLES) > 40
    given = set(manifests.environment(manifests.hub))
    assert len(given) >= 5 and given <= VARIABLES


def test_the_backup_job_speaks_to_the_command_line(everything):
    job, = everything.one("CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    given = {name for name in everything.environment(job) if name.startswith("MILLRACE_")}
    assert given == {"MILLRACE_TARGET", "MILLRACE_TLS_CA", "MILLRACE_CLIENT_CERT", "MILLRACE_CLIENT_KEY"}
    assert given <= set(re.findall(r"MILLRACE_\w+", help_of(MILLRACE)))


def test_ports_agree(everything):
    given = everything.environment(everything.hub)
    ports = {port["name"]: port["containerPort"] for port in everything.hub["ports"]}
    assert ports == {"grpc": int(given["MILLRACE_LISTEN"].rpartition(":")[2]),
                     "web": int(given["MILLRACE_WEB_LISTEN"].rpartition(":")[2])}
    assert {given["MILLRACE_LISTEN"].rpartition(":")[0], given["MILLRACE_WEB_LISTEN"].rpartition(":")[0]} == {"0.0.0.0"}
    for service in everything.of("Service"):
        assert {port["name"]: (port["port"], port["targetPort"]) for port in service["spec"]["ports"]} == \
            {name: (number, name) for name, number in ports.items()}
    for policy in everything.of("NetworkPolicy"):
        for rule in policy["spec"]["ingress"]:
            assert {port["port"] for port in rule["ports"]} <= set(ports)
    for kind, port in (("GRPCRoute", "grpc"), ("HTTPRoute", "web")):
        backend = everything.one(kind)["spec"]["rules"][0]["backendRefs"][0]
        assert (backend["name"], backend["port"]) == ("millrace", ports[port])


def labels_match(selector, labels):
    return selector.items() <= labels.items()


def test_selectors_find_the_hub_and_nothing_else(everything):
    pods = {name: template["metadata"]["labels"] for name, template in everything.pod_templates()}
    assert set(pods) == {"StatefulSet/millrace", "CronJob/millrace-backup"}
    selectors = [service["spec"]["selector"] for service in everything.of("Service")]
    selectors += [everything.stateful_set["selector"]["matchLabels"],
                  everything.one("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
                  everything.one("NetworkPolicy", "millrace")["spec"]["podSelector"]["matchLabels"]]
    for selector in selectors:
        assert [name for name, labels in pods.items() if labels_match(selector, labels)] == ["StatefulSet/millrace"]
    backup = everything.one("NetworkPolicy", "millrace-backup")["spec"]["podSelector"]["matchLabels"]
    assert [name for name, labels in pods.items() if labels_match(backup, labels)] == ["CronJob/millrace-backup"]


def test_prometheus_scrapes_every_pod_once(everything):
    monitor = everything.one("ServiceMonitor")
    chosen = [service for service in everything.of("Service")
              if labels_match(monitor["spec"]["selector"]["matchLabels"], service["metadata"]["labels"])]
    assert len(chosen) == 1
    endpoint, = monitor["spec"]["endpoints"]
    assert endpoint["path"] == "/metrics" and endpoint["port"] == "web"
    job = chosen[0]["metadata"]["labels"][monitor["spec"]["jobLabel"]]
    for asked in re.findall(r'job="([^"]+)"', (ROOT / "deploy/prometheus/alerts.yml").read_text()):
        assert job == asked


def test_the_backup_job_reaches_the_first_hub_and_its_volume(everything):
    template = everything.one("CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    job, = template["containers"]
    headless, = [service for service in everything.of("Service") if service["spec"].get("clusterIP") == "None"]
    pod = "millrace-0"
    assert everything.stateful_set["serviceName"] == headless["metadata"]["name"]
    assert everything.environment(job)["MILLRACE_TARGET"] == f"{pod}.{headless['metadata']['name']}:9640"
    claims = {volume["name"]: volume["persistentVolumeClaim"]["claimName"]
              for volume in template["volumes"] if "persistentVolumeClaim" in volume}
    of_the_hub, = everything.stateful_set["volumeClaimTemplates"]
    assert claims["data"] == f"{of_the_hub['metadata']['name']}-{pod}"
    places = {mount["name"]: mount["mountPath"] for mount in job["volumeMounts"]}
    # The path of the checkpoint means the same to both.
    assert {"name": "data", "mountPath": places["data"]} in everything.hub["volumeMounts"]
    affinity, = template["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert affinity["topologyKey"] == "kubernetes.io/hostname"
    assert affinity["labelSelector"]["matchLabels"] == {"statefulset.kubernetes.io/pod-name": pod}
    for field in ("runAsUser", "runAsGroup", "fsGroup"):
        assert template["securityContext"][field] == everything.hub_pod["securityContext"][field]


def test_the_log_is_on_the_volume_and_leaves_room_for_checkpoints_beside_it(manifests):
    mount, = [mount for mount in manifests.hub["volumeMounts"] if mount["name"] == "data"]
    directory = manifests.environment(manifests.hub)["MILLRACE_DATA_DIR"]
    assert directory.startswith(mount["mountPath"] + "/")


def test_the_grace_period_is_longer_than_pause_and_drain(manifests):
    pause = manifests.hub["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = seconds(manifests.environment(manifests.hub)["MILLRACE_DRAIN_TIMEOUT"])
    assert manifests.hub_pod["terminationGracePeriodSeconds"] >= pause + drain + 10


@pytest.mark.parametrize(("chosen", "scheme"), [((), "HTTP"), (("tls",), "HTTPS")], ids=["plain", "tls"])
def test_probes_ask_the_right_port_the_right_way(chosen, scheme):
    hub = combined("base", chosen).hub
    asked = {name: hub[name]["httpGet"] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert {name: (get["path"], get["port"], get["scheme"]) for name, get in asked.items()} == {
        "startupProbe": ("/healthz", "web", scheme), "readinessProbe": ("/readyz", "web", scheme),
        "livenessProbe": ("/healthz", "web", scheme)}


def test_with_tls_everything_that_calls_the_hub_uses_it(everything):
    mount, = [mount for mount in everything.hub["volumeMounts"] if mount["name"] == "tls"]
    given = everything.environment(everything.hub)
    assert {given[f"MILLRACE_TLS_{name}"] for name in ("CERT", "KEY", "CLIENT_CA")} == \
        {f"{mount['mountPath']}/{file}" for file in ("tls.crt", "tls.key", "ca.crt")}
    assert mount["readOnly"] and "subPath" not in mount  # With one, a renewed certificate would never arrive.
    for service in everything.of("Service"):
        assert {port["appProtocol"] for port in service["spec"]["ports"]} == {"https"}
    assert everything.one("ServiceMonitor")["spec"]["endpoints"][0]["scheme"] == "https"


def covers(name, host):
    return name == host or name.startswith("*.") and host.partition(".")[2] == name[2:]


def test_the_certificates_are_for_the_names_that_are_called(everything):
    made = list(yaml.safe_load_all((KUBERNETES / "components/tls/certificates.yaml").read_text()))
    hub, client = (certificate["spec"] for certificate in made)
    job, = everything.one("CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    tls = everything.one("ServiceMonitor")["spec"]["endpoints"][0]["tlsConfig"]
    for host in (everything.environment(job)["MILLRACE_TARGET"].partition(":")[0], tls["serverName"], "localhost",
                 "millrace.millrace.svc"):
        assert any(covers(name, host) for name in hub["dnsNames"]), host
    volumes = {volume["name"]: volume for _, template in everything.pod_templates()
               for volume in template["spec"]["volumes"]}
    assert volumes["tls"]["secret"]["secretName"] == hub["secretName"]
    assert volumes["client-tls"]["secret"]["secretName"] == client["secretName"] == tls["keySecret"]["name"]
    assert (hub["usages"], client["usages"]) == (["server auth"], ["client auth"])


def test_the_access_file_is_where_the_hub_looks_and_a_change_of_it_is_no_restart(everything):
    mount, = [mount for mount in everything.hub["volumeMounts"] if mount["name"] == "access"]
    assert mount["readOnly"] and "subPath" not in mount  # With one, a change would never arrive.
    path = pathlib.Path(everything.environment(everything.hub)["MILLRACE_ACCESS_FILE"])
    assert path.parent == pathlib.Path(mount["mountPath"])
    volume, = [volume for volume in everything.hub_pod["volumes"] if volume["name"] == "access"]
    assert volume["configMap"]["name"] == "millrace-access"  # Without a hash of what is in it.
    assert path.name in everything.one("ConfigMap", "millrace-access")["data"]


def test_the_access_file_names_whom_the_clients_certificate_does(everything):
    _, client = yaml.safe_load_all((KUBERNETES / "components/tls/certificates.yaml").read_text())
    access = json.loads(everything.one("ConfigMap", "millrace-access")["data"]["access.json"])
    principals = [principal for rule in access["rules"] for principal in rule["principals"]]
    assert principals == client["spec"]["dnsNames"][:1] == [OPERATIONS]


def test_caches_fit_into_the_memory(manifests):
    given = manifests.environment(manifests.hub)
    caches = sum(size(given.get(f"MILLRACE_{name}") or DEFAULTS[f"MILLRACE_{name}"]) for name in CACHES)
    assert caches <= CACHE_SHARE * size(manifests.hub["resources"]["limits"]["memory"])


def test_the_images_version_is_the_projects(manifests):
    version = re.search(r"project\(millrace VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
    for _, template in manifests.pod_templates():
        for container in template["spec"]["containers"]:
            assert re.fullmatch(rf"(registry\.example\.com/)?millrace(:{re.escape(version)})?", container["image"])
