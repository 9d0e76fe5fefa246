"""The example that is a Spring Boot application: built by Maven, and its own web server."""

import contextlib
import socket
import subprocess
import sys
import time
import urllib.request


def build_application(root):
    """The tutorial with what it needs of client/java, as one jar. Needs Java 17 and Maven, and the network at first."""
    subprocess.run(["mvn", "--quiet", "--batch-mode", "--file", root / "client" / "java",
                    "--projects", "com.example:tutorial", "--also-make", "-DskipTests", "package"],
                   stdout=sys.stderr, check=True)  # What run.py itself says stays apart from it.
    return root / "client" / "examples" / "spring" / "target" / "tutorial.jar"


@contextlib.contextmanager
def reserved_port(host):
    """Chosen before the application starts, so that it has the same one when it is started again. Nobody else gets it
    meanwhile."""
    with socket.create_server((host, 0)) as server:
        yield server.getsockname()[1]


def wait_for_page(url, process, log):
    """Until the application serves it."""
    while True:
        if process.poll() is not None:
            raise SystemExit(f"the application did not start; see {log}")
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:  # Which urllib's own errors are.
            time.sleep(0.1)
