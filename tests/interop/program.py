"""The drop-in under test: started for one test with the control socket that it asks for, and always taken down."""
from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from pathlib import Path
from typing import Callable, Sequence, TypeVar

import clients

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("MILLRACE_BIN", ROOT / "build" / "release" / "bin")).resolve() / "rtpproxy"
KINDS = ["udp", "udp6", "unix", "cunix", "tcp", "tcp6", "stdio", "stdioc", "systemd"]
HOSTS = {"udp": "127.0.0.1", "udp6": "::1", "tcp": "127.0.0.1", "tcp6": "::1"}
STREAMS = ["cunix", "tcp", "tcp6", "stdio", "stdioc", "systemd"]
START_S = 5.0
T = TypeVar("T")


def wait_for(attempt: Callable[[], T | None], what: str, seconds: float = START_S) -> T:
    """What `attempt` gives once it neither fails to connect nor gives nothing."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if (got := attempt()) is not None:
                return got
        except (ConnectionError, FileNotFoundError, TimeoutError):
            pass
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)


class Program:
    def __init__(self, folder: Path, options: Sequence[str] = ("-l", "127.0.0.1"), kind: str = "udp"):
        self.folder, self.kind = folder, kind
        self.path = str(folder / "control")   # of a local control socket
        self.log = folder / "rtpproxy.log"
        self._clients: list[object] = []
        self._listening: socket.socket | None = None
        self.child = self._start([str(PROGRAM), "-f", "-F", "-d", "INFO", "-p", "/dev/null", "-s", self._wanted(),
                                  *options, "--set", f"admin.socket={folder / 'admin'}"])
        # The kernel chooses the port, and the line that says "ready" names it.
        self.port = int(wait_for(self._ready, "the program to be ready").rpartition(":")[2] or 0)
        self.client = self.connect()

    def _wanted(self) -> str:
        """The word behind -s."""
        if self.kind in HOSTS:
            return f"{self.kind}:{HOSTS[self.kind]}:0"
        if self.kind == "systemd":
            self._listening = socket.socket(socket.AF_UNIX)
            self._listening.bind(self.path)
            self._listening.listen()
        return f"{self.kind}:{self.path if self.kind in ('unix', 'cunix') else ''}"

    def _ready(self) -> str | None:
        """The first control socket as the program names it, its port behind the last colon."""
        log = self.log.read_text(errors="replace")
        assert self.child.poll() is None, f"the program ended:\n{log[-3000:]}"
        found = re.search(r" is ready: text protocol on ([^,;\s]+)[,;]", log)
        if found is None:
            return None
        return found[1] if self.kind in HOSTS else ":"

    def _start(self, argv: list[str]) -> subprocess.Popen:
        assert PROGRAM.exists(), f"no {PROGRAM}: build first, or say where in MILLRACE_BIN"
        on_stdio = self.kind.startswith("stdio")
        passed: tuple[int, ...] = ()
        if self._listening is not None:
            # systemd passes descriptor 3 and tells the process its own number; `exec` keeps that number.
            number = self._listening.fileno()
            argv = ["bash", "-c", f'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@" 3<&{number}', "bash", *argv]
            passed = (number,)
        with self.log.open("wb") as log:
            return subprocess.Popen(argv, cwd=self.folder, stderr=log, pass_fds=passed, start_new_session=True,
                                    bufsize=0, stdin=subprocess.PIPE if on_stdio else subprocess.DEVNULL,
                                    stdout=subprocess.PIPE if on_stdio else log)

    def connect(self) -> object:
        """One more client."""
        self._clients.append(self._connect())
        return self._clients[-1]

    def _connect(self) -> object:
        if self.kind in ("udp", "udp6"):
            return clients.Datagrams(HOSTS[self.kind], self.port)
        if self.kind in ("tcp", "tcp6"):
            family = socket.AF_INET if self.kind == "tcp" else socket.AF_INET6
            return clients.connect(family, (HOSTS[self.kind], self.port))
        if self.kind == "unix":
            return clients.OneCommandEach(self.path)
        if self.kind in ("cunix", "systemd"):
            return clients.connect(socket.AF_UNIX, self.path)
        return clients.Lines(self.child.stdin, self.child.stdout)

    def wait_for_end(self, seconds: float = 2.0) -> int:
        return self.child.wait(timeout=seconds)

    def stop(self) -> None:
        """Fails when the program does not end well by itself."""
        try:
            if self.child.poll() is None:
                self.child.terminate()
            status = self.child.wait(timeout=3)
        finally:
            if self.child.poll() is None:
                self.child.kill()
                self.child.wait()
            # Only now: the end of input would end the program too, while our signal is on its way.
            for client in self._clients:
                client.close()
            if self._listening is not None:
                self._listening.close()
        assert status == 0, f"ended with {status}:\n{self.log.read_text()[-3000:]}"
