"""The processes of an example: started, started again when one of them dies, and ended in good order."""

import os
import signal
import subprocess
import time

RESTART_SECONDS = 1  # Long enough to see on the page that something is down.
STOP_SECONDS = 20


class Processes:
    """Used from one thread. What a process says goes to NAME.log in `directory`."""

    def __init__(self, directory):
        self.directory = directory
        self._commands = {}  # By name: the command and its environment.
        self._running = {}  # By name: Popen, in the order of starting.
        directory.mkdir(parents=True, exist_ok=True)

    def start(self, name, command, **environment):
        self._commands[name] = command, environment
        return self._launch(name)

    def start_again_as(self, name, command):
        """With this command, should it end."""
        self._commands[name] = command, {}

    def _launch(self, name):
        command, environment = self._commands[name]
        with open(self.log_of(name), "ab") as log:
            process = self._running[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **environment},
                start_new_session=True)  # So that Ctrl-C ends them through stop() only, in its order.
        print(f"{name}: process {process.pid}", flush=True)
        return process

    def log_of(self, name):
        return self.directory / f"{name}.log"

    def keep_running(self):
        """Starts again whatever ends; is itself ended by the exception of a signal."""
        while True:
            pid, status = os.wait()
            [name] = [name for name, process in self._running.items() if process.pid == pid]
            print(f"{name}: ended ({_described(status)}), is started again; see {self.log_of(name)}", flush=True)
            time.sleep(RESTART_SECONDS)
            self._launch(name)

    def stop(self):
        """The last one started ends first, so that the hub outlives its services."""
        for number in signal.SIGINT, signal.SIGTERM:
            signal.signal(number, signal.SIG_IGN)
        for process in reversed(self._running.values()):
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _described(status):
    code = os.waitstatus_to_exitcode(status)
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
