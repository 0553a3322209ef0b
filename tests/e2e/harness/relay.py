"""The relay under test, under either of its names, and a client for its text protocol."""
from __future__ import annotations

import itertools
import pathlib
import socket
from typing import Sequence

from .process import Process, free_port, programs, wait_until

DROP_IN, MILLRACE = "rtpproxy", "millrace"
PROTOCOL_VERSION = "20040107"


class Control:
    """Speaks the text protocol over UDP: a cookie for each command, and the same one when a reply is late."""

    def __init__(self, address: str, port: int):
        self._socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect((address, port))
        self._cookies = (f"e2e_{id(self)}_{number}" for number in itertools.count())

    def ask(self, command: str, seconds: float = 5.0) -> str:
        cookie = next(self._cookies)
        reply: list[str] = []

        def answered() -> bool:
            try:
                self._socket.send(f"{cookie} {command}".encode())
                self._socket.settimeout(0.5)
                while True:
                    first, _, rest = self._socket.recv(65536).decode().partition(" ")
                    if first == cookie:
                        reply.append(rest.rstrip("\n"))
                        return True
            except (TimeoutError, ConnectionRefusedError):
                return False

        wait_until(answered, f"a reply to {command!r}", seconds)
        return reply[0]

    def counters(self, *names: str) -> dict[str, int]:
        values = self.ask("G " + " ".join(names)).split()
        return dict(zip(names, map(int, values), strict=True))

    def active_sessions(self) -> int:
        lines = dict(line.split(": ") for line in self.ask("I").splitlines())
        return int(lines["active sessions"])

    def close(self) -> None:
        self._socket.close()


class Relay:
    """One daemon. A UDP control socket on loopback is always there; `control` adds others in the words of `-s`."""

    def __init__(self, folder: pathlib.Path, *, program: str = DROP_IN, name: str = "relay", address: str = "127.0.0.1",
                 external6: str | None = None, ports: tuple[int, int] = (20000, 30000), control: Sequence[str] = (),
                 notify: str | None = None, idle_seconds: int | None = None, settings: Sequence[str] = (),
                 netns: str | None = None):
        self.control_port = free_port()
        self.socket = f"udp:127.0.0.1:{self.control_port}"
        sockets = [self.socket, *control]
        common = [f"admin.socket={folder / f'{name}.admin'}", *settings]
        build = drop_in_command if program == DROP_IN else millrace_command
        argv = build(sockets, address, external6, ports, notify, idle_seconds)
        argv += [word for setting in common for word in ("--set", setting)]
        if program == DROP_IN:
            argv += ["-p", str(folder / f"{name}.pid")]
        self.process = Process(name, argv, folder, netns)
        self.control: Control | None = None

    def wait_ready(self, seconds: float = 10.0) -> "Relay":
        """It answers `V`. Call it from the network namespace in which it listens."""
        self.control = Control("127.0.0.1", self.control_port)
        wait_until(self._answers, "the relay to answer V", seconds)
        return self

    def _answers(self) -> bool:
        assert self.process.alive(), f"the relay ended:\n{self.process.log()[-3000:]}"
        assert self.control is not None
        try:
            return self.control.ask("V", 0.2) == PROTOCOL_VERSION
        except AssertionError:
            return False

    def ask(self, command: str) -> str:
        assert self.control is not None
        return self.control.ask(command)

    def stop(self) -> int:
        if self.control is not None:
            self.control.close()
        return self.process.stop()


def drop_in_command(sockets: Sequence[str], address: str, external6: str | None, ports: tuple[int, int],
                    notify: str | None, idle_seconds: int | None) -> list[str]:
    argv = [str(programs() / DROP_IN), "-f", "-F", "-l", address, "-m", str(ports[0]), "-M", str(ports[1]),
            "-d", "DBUG"]
    for one in sockets:
        argv += ["-s", one]
    if external6:
        argv += ["-6", f"/{external6}"]
    if notify:
        argv += ["-n", notify]
    if idle_seconds:
        argv += ["-T", str(idle_seconds)]
    return argv


def millrace_command(sockets: Sequence[str], address: str, external6: str | None, ports: tuple[int, int],
                     notify: str | None, idle_seconds: int | None) -> list[str]:
    assert external6 is None, "two sides are a matter of the drop-in's command line"
    settings = {"grpc.listen": "127.0.0.1:0", "rtpproxy.listen": ",".join(sockets), "media.address": address, "media.ports": f"{ports[0]}-{ports[1]}"}
    if notify:
        settings["rtpproxy.notify"] = notify
    if idle_seconds:
        settings["session.idle_timeout"] = f"{idle_seconds}s"
    argv = [str(programs() / MILLRACE)]
    for key, value in settings.items():
        argv += ["--set", f"{key}={value}"]
    return argv
