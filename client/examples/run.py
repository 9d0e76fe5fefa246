#!/usr/bin/env python3
"""Runs one of the use cases, all of it: a hub, its topics, the services and the page.

    client/examples/run.py chat

Open the address that it prints; Ctrl-C ends everything. What is killed is started again after a second, as an
orchestrator would do it: try kill -9 on a service, or on the hub, and see what becomes of the page.
"""

import argparse
import dataclasses
import pathlib
import signal
import subprocess
import sys

from launcher.hub import create_topic, start_hub
from launcher.page_server import PageServer
from launcher.processes import Processes
from launcher.spring import build_application, reserved_port, wait_for_page

EXAMPLES = pathlib.Path(__file__).resolve().parent
ROOT = EXAMPLES.parents[1]
STUBS = ROOT / "build" / "stubs"  # Made by python/stubs.sh.


@dataclasses.dataclass
class Case:
    topics: dict  # Name: number of partitions.
    services: tuple = ()  # Programs on generated stubs, which get HOST:PORT of the hub's gRPC.
    web_services: tuple = ()  # Programs without any stubs, which get the address of the hub's web port.


CASES = {
    "orders": Case(topics={"orders": 4, "payments": 4, "shipments": 4}, services=("payment", "shipping")),
    "stocks": Case(topics={"ticks": 4}, web_services=("exchange",)),
    "chat": Case(topics={"chat": 4}),
    "notifications": Case(topics={"user.alice": 1, "user.bob": 1}),
}
SPRING = "spring"  # An application that makes its topics and serves its page itself.


def main():
    arguments = parse_arguments()
    server = arguments.bin / "millrace-server"
    if not server.exists():
        sys.exit(f"there is no {server}: deploy/quickstart.sh builds it")
    run = run_spring if arguments.case == SPRING else run_case
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # Ends as Ctrl-C does.
    processes = Processes(arguments.data_dir or ROOT / "build" / "examples" / arguments.case)
    try:
        hub, page = run(arguments, server, processes)
        print(f"The hub: gRPC at {hub.grpc}, its console at {hub.web}\n"
              f"The page: {page}/\nCtrl-C ends everything.", flush=True)
        processes.keep_running()
    except KeyboardInterrupt:
        pass
    finally:
        processes.stop()


def run_case(arguments, server, processes):
    case = CASES[arguments.case]
    if case.services:
        subprocess.run([EXAMPLES / "python" / "stubs.sh"], check=True)
    page = PageServer(arguments.host, arguments.port, {
        "/js/": ROOT / "client" / "js" / "src",
        "/page/": EXAMPLES / "page",
        "/": EXAMPLES / arguments.case,
    })
    hub = start_hub(processes, server, arguments.host, allowed_origin=page.origin)
    for topic, partitions in case.topics.items():
        create_topic(hub, topic, partitions)
    start_services(processes, case, EXAMPLES / arguments.case, hub)
    page.serve(hub.web)
    return hub, page.origin


def run_spring(arguments, server, processes):
    application = build_application(ROOT)
    with reserved_port(arguments.host) as free:
        port = arguments.port or free
        page = f"http://{arguments.host}:{port}"
        hub = start_hub(processes, server, arguments.host, allowed_origin=page)
    process = processes.start("tutorial", [
        "java", "-jar", application, f"--millrace.target={hub.grpc}",
        f"--server.address={arguments.host}", f"--server.port={port}"])
    wait_for_page(page, process, processes.log_of("tutorial"))
    return hub, page


def start_services(processes, case, folder, hub):
    for name in case.services:
        processes.start(name, [STUBS / "bin" / "python", folder / f"{name}.py", hub.grpc],
                        PYTHONPATH=f"{STUBS}:{EXAMPLES / 'python'}")
    for name in case.web_services:
        processes.start(name, [sys.executable, folder / f"{name}.py", hub.web])


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=[*CASES, SPRING])
    parser.add_argument("--host", default="localhost", help="serve page and hub at this address, for other machines")
    parser.add_argument("--port", type=int, default=8640, help="of the page (default 8640); 0 takes any that is free")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build" / "bin", help="where millrace-server is")
    parser.add_argument("--data-dir", type=pathlib.Path, help="kept between runs (default build/examples/CASE)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
