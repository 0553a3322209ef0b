"""The drop-in under test: started for one test with the control socket that it asks for, and always taken down."""
from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Callable, Sequence

import clients

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("MILLRACE_BIN", ROOT / "build" / "release" / "bin")).resolve() / "rtpproxy"
KINDS = ["udp", "udp6", "unix", "cunix", "tcp", "tcp6", "stdio", "stdioc", "systemd"]
STREAMS = ["cunix", "tcp", "tcp6", "stdio", "stdioc", "systemd"]
START_S = 5.0


def free_port(family: socket.AddressFamily, kind: socket.SocketKind, host: str) -> int:
    with socket.socket(family, kind) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def wait_for(attempt: Callable[[], object], what: str, seconds: float = START_S) -> object:
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
        self.log = folder / "rtpproxy.log"
        self._clients: list[object] = []
        self._listening: socket.socket | None = None
        self.where, self._connect = self._endpoint()
        self.child = self._start([str(PROGRAM), "-f", "-F", "-p", "/dev/null", "-s", self.where, *options,
                                  "--set", f"admin.socket={folder / 'admin'}"])
        self.client = self.connect()

    def _endpoint(self) -> tuple[str, Callable[[], object]]:
        """The word behind -s, and how a client gets there."""
        kind, path = self.kind, str(self.folder / "control")
        if kind in ("udp", "udp6"):
            host, family = ("127.0.0.1", socket.AF_INET) if kind == "udp" else ("::1", socket.AF_INET6)
            port = free_port(family, socket.SOCK_DGRAM, host)
            return f"{kind}:{host}:{port}", lambda: self._datagrams(host, port)
        if kind in ("tcp", "tcp6"):
            host, family = ("127.0.0.1", socket.AF_INET) if kind == "tcp" else ("::1", socket.AF_INET6)
            port = free_port(family, socket.SOCK_STREAM, host)
            return f"{kind}:{host}:{port}", lambda: clients.connect(family, (host, port))
        if kind == "unix":
            return f"unix:{path}", lambda: self._one_command(path)
        if kind == "cunix":
            return f"cunix:{path}", lambda: clients.connect(socket.AF_UNIX, path)
        if kind == "systemd":
            self._listening = socket.socket(socket.AF_UNIX)
            self._listening.bind(path)
            self._listening.listen()
            return "systemd:", lambda: clients.connect(socket.AF_UNIX, path)
        return f"{kind}:", lambda: clients.Lines(self.child.stdin, self.child.stdout)

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

    def _datagrams(self, host: str, port: int) -> clients.Datagrams | None:
        client = clients.Datagrams(host, port)
        client.socket.settimeout(0.05)
        try:
            client.raw(b"ready")   # a lone cookie, so that no command is counted as a success
        except (ConnectionRefusedError, TimeoutError):
            client.close()
            return None
        client.socket.settimeout(clients.PATIENCE_S)
        return client

    def _one_command(self, path: str) -> clients.OneCommandEach:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(path)
        return clients.OneCommandEach(path)

    def connect(self) -> object:
        """One more client, as soon as the program listens."""
        def attempt() -> object:
            assert self.child.poll() is None, f"the program ended:\n{self.log.read_text()[-3000:]}"
            return self._connect()

        client = wait_for(attempt, f"{self.where} to be there")
        self._clients.append(client)
        return client

    def wait_for_end(self, seconds: float = 2.0) -> int:
        return self.child.wait(timeout=seconds)

    def stop(self) -> None:
        """Fails when the program does not end well by itself."""
        for client in self._clients:
            client.close()
        if self._listening is not None:
            self._listening.close()
        try:
            if self.child.poll() is None:
                self.child.terminate()
            status = self.child.wait(timeout=3)
        finally:
            if self.child.poll() is None:
                self.child.kill()
                self.child.wait()
            for pipe in (self.child.stdin, self.child.stdout):
                if pipe is not None and not pipe.closed:
                    pipe.close()
        assert status == 0, f"ended with {status}:\n{self.log.read_text()[-3000:]}"
