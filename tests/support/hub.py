"""A hub process for a test: its own directory, a port that the kernel chose."""

import os
import pathlib
import signal
import subprocess
import time

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"
SERVER = BUILD / "bin" / "millrace-server"
MILLRACE = BUILD / "bin" / "millrace"

START_SECONDS = 60
STOP_SECONDS = 60


class Hub:
    """Starts on construction. kill() and start() again keep data and port.

    `under` is a command that runs the hub, in its own process: ("prlimit", "--nofile=256")."""

    def __init__(self, directory, *flags, under=()):
        self.directory = pathlib.Path(directory)
        self.flags = flags
        self.under = under
        self.port = 0
        self.web_port = 0
        self.start()

    @property
    def target(self):
        return f"localhost:{self.port}"

    def start(self):
        port_file = self.directory / "port"
        web_port_file = self.directory / "web-port"  # Written after the other.
        port_file.unlink(missing_ok=True)
        web_port_file.unlink(missing_ok=True)
        with open(self.directory / "hub.log", "ab") as log:
            self.process = subprocess.Popen(
                [*self.under, SERVER, "--data-dir", self.directory / "data", "--listen", f"localhost:{self.port}",
                 "--port-file", port_file, "--web-listen", f"localhost:{self.web_port}",
                 "--web-port-file", web_port_file, *self.flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while not web_port_file.exists() or not web_port_file.read_text().strip():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError("the hub did not start:\n" + self.log())
            time.sleep(0.02)
        self.port = int(port_file.read_text())
        self.web_port = int(web_port_file.read_text())

    def kill(self):
        """As a crash: SIGKILL, no chance to finish anything."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """Drains; answers the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def log(self):
        return (self.directory / "hub.log").read_text(errors="replace")[-4000:]

    def millrace(self, *arguments, **options):
        """Runs the command line against this hub; its standard output, or an AssertionError."""
        done = subprocess.run([MILLRACE, "--target", self.target, *map(str, arguments)],
                              capture_output=True, timeout=300, **options)
        assert done.returncode == 0, f"millrace {arguments}: {done.stderr.decode()}"
        return done.stdout
