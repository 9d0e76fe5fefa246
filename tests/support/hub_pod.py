"""The hub's pod as a kubelet runs it from the manifest: probes, preStop, SIGTERM and the deadline, on a process."""

import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request

from tests.support.hub import SERVER
from tests.support.manifests import seconds
from tests.support.waiting import wait_until

VOLUME = "/var/lib/millrace"
UNVERIFIED = ssl._create_unverified_context()  # A kubelet checks no certificate.


class PlainProcess:
    """The hub's program here. `volumes`: {mountPath: folder}, with the hub's own at VOLUME."""

    def __init__(self, volumes):
        self.volumes = volumes

    @property
    def volume(self):
        return self.volumes[VOLUME]

    def path(self, in_pod):
        for place, folder in self.volumes.items():
            in_pod = in_pod.replace(place, str(folder))
        return in_pod

    def start(self, pod, environment, log):
        command = [SERVER, *pod["containers"][0].get("args", ())]
        return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def signal(self, process, number):
        process.send_signal(number)


class HubPod:
    """One pod. start() waits until it is ready; delete() ends it as a rolling update does."""

    def __init__(self, manifests, runtime):
        self.pod = manifests.hub_pod
        self.container = manifests.hub
        self.environment = manifests.environment(self.container)
        self.drain_seconds = seconds(self.environment["MILLRACE_DRAIN_TIMEOUT"])
        self.runtime = runtime
        self.process = None
        self.passing = False  # The readiness probe.
        self.deleted = threading.Event()  # From then on the Services leave it out.
        self.failures = []  # What a kubelet would have restarted it for.
        self.probing = []
        self.ports = {}

    def start(self):
        volume = self.runtime.volume
        files = {"grpc": volume / "port", "web": volume / "web-port"}
        for file in files.values():
            file.unlink(missing_ok=True)
        environment = {name: self.runtime.path(value) for name, value in self.environment.items()}
        environment |= {"MILLRACE_LISTEN": "127.0.0.1:0", "MILLRACE_WEB_LISTEN": "127.0.0.1:0",
                        "MILLRACE_PORT_FILE": self.runtime.path(f"{VOLUME}/port"),
                        "MILLRACE_WEB_PORT_FILE": self.runtime.path(f"{VOLUME}/web-port")}
        with open(volume.parent / "hub.log", "ab") as log:
            self.process = self.runtime.start(self.pod, environment, log)
        self._start_up(files)
        for probe in ("readinessProbe", "livenessProbe"):
            self.probing.append(threading.Thread(target=self._probe, args=(probe,), daemon=True))
            self.probing[-1].start()
        wait_until(lambda: self.ready or self.process.poll() is not None, "the readiness probe passes")
        assert self.ready, "the hub ended:\n" + self.log()
        return self

    @property
    def ready(self):
        return self.passing and not self.deleted.is_set()

    def log(self):
        return (self.runtime.volume.parent / "hub.log").read_text(errors="replace")[-4000:]

    def _passes(self, probe):
        get = probe["httpGet"]
        url = f"{get['scheme'].lower()}://127.0.0.1:{self.ports[get['port']]}{get['path']}"
        try:
            with urllib.request.urlopen(url, timeout=probe["timeoutSeconds"], context=UNVERIFIED) as answer:
                return 200 <= answer.status < 400
        except (urllib.error.URLError, OSError):
            return False

    def _start_up(self, files):
        probe = self.container["startupProbe"]
        for _ in range(probe["failureThreshold"]):
            if all(file.exists() and file.read_text().strip() for file in files.values()):
                self.ports = {name: int(file.read_text()) for name, file in files.items()}
                if self._passes(probe):
                    return
            assert self.process.poll() is None, "the hub did not start:\n" + self.log()
            time.sleep(probe["periodSeconds"])
        raise AssertionError("the startup probe gave up:\n" + self.log())

    def _probe(self, name):
        probe, failed = self.container[name], 0
        while not self.deleted.is_set():
            failed = 0 if self._passes(probe) else failed + 1
            if name == "readinessProbe":
                self.passing = failed < probe["failureThreshold"] and (self.passing or failed == 0)
            elif failed == probe["failureThreshold"] and not self.deleted.is_set():
                self.failures.append(name)
            self.deleted.wait(probe["periodSeconds"])

    def delete(self):
        """Answers (exit status, seconds from SIGTERM to the end)."""
        self.deleted.set()
        began = time.monotonic()
        time.sleep(self.container["lifecycle"]["preStop"]["sleep"]["seconds"])
        assert self.process.poll() is None, "the hub ended before it was told to"
        self.runtime.signal(self.process, signal.SIGTERM)
        told = time.monotonic()
        try:
            status = self.process.wait(self.pod["terminationGracePeriodSeconds"] - (told - began))
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the kubelet had to kill the hub:\n" + self.log()) from None
        return status, time.monotonic() - told

    def kill(self):
        self.deleted.set()
        if self.process is not None and self.process.poll() is None:
            self.runtime.signal(self.process, signal.SIGKILL)
            self.process.wait()
        for thread in self.probing:
            thread.join()


class Service:
    """One address in front of whichever pod is ready, as kube-proxy gives it; open connections stay where they are."""

    def __init__(self):
        self.pod = None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()

    @property
    def target(self):
        return f"127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return  # Closed.
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        pod = self.pod
        with client:
            if pod is None or not pod.ready:
                return
            try:
                with socket.create_connection(("127.0.0.1", pod.ports["grpc"])) as hub:
                    back = threading.Thread(target=_copy, args=(hub, client), daemon=True)
                    back.start()
                    _copy(client, hub)
                    back.join()
            except OSError:
                return

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.accepting.join()


def _copy(source, sink):
    """Until either end is gone; then neither is of use."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
