"""The hub of an example."""

import collections
import json
import time
import urllib.error
import urllib.request

DAY = "86400s"

Hub = collections.namedtuple("Hub", "grpc web")  # Its addresses: HOST:PORT and http://HOST:PORT/


def start_hub(processes, server, host, allowed_origin):
    """At free ports, which it keeps when it is started again. Pages of `allowed_origin` may use it."""
    files = [processes.directory / "port", processes.directory / "web-port"]
    for file in files:
        file.unlink(missing_ok=True)

    def command(grpc_port, web_port):
        return [server, "--data-dir", processes.directory / "data",
                "--listen", f"localhost:{grpc_port}", "--port-file", files[0],
                "--web-listen", f"{host}:{web_port}", "--web-port-file", files[1],
                "--web-allow-origin", allowed_origin]

    process = processes.start("hub", command(0, 0))
    while not all(file.exists() and file.read_text() for file in files):
        if process.poll() is not None:
            raise SystemExit(f"the hub did not start; see {processes.log_of('hub')}")
        time.sleep(0.05)
    grpc_port, web_port = (int(file.read_text()) for file in files)
    processes.start_again_as("hub", command(grpc_port, web_port))
    return Hub(f"localhost:{grpc_port}", f"http://{host}:{web_port}/")


def create_topic(hub, topic, partitions):
    """Unless it is there. Any call of the contract can be made like this, in JSON."""
    body = {"topic": topic, "partitionCount": partitions, "retention": {"maxAge": DAY}}
    request = urllib.request.Request(f"{hub.web}v1/call/millrace.v1.TopicService/CreateTopic",
                                     json.dumps(body).encode(), {"content-type": "application/json"})
    try:
        urllib.request.urlopen(request, timeout=30).close()
    except urllib.error.HTTPError as error:
        if json.load(error)["reason"] != "TOPIC_EXISTS":
            raise
