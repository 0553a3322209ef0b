"""Kamailio, with the configuration that docs/kamailio.md tells users to copy: what is documented is what runs here."""
from __future__ import annotations

import pathlib
import re
import socket
from typing import Sequence

from .process import REPOSITORY, Process, free_port, wait_until

PAGE = REPOSITORY / "docs" / "kamailio.md"
OPTIONS = ("OPTIONS sip:{host} SIP/2.0\r\nVia: SIP/2.0/UDP {own};rport;branch=z9hG4bKready\r\n"
           "From: <sip:test@{host}>;tag=1\r\nTo: <sip:{host}>\r\nCall-ID: ready\r\nCSeq: 1 OPTIONS\r\n"
           "Content-Length: 0\r\n\r\n")


def documented_configuration() -> str:
    found = re.findall(r"^```kamailio\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert len(found) == 1, "docs/kamailio.md must hold exactly one complete configuration"
    return found[0]


def _replace_line(configuration: str, start: str, lines: Sequence[str]) -> str:
    changed, count = re.subn(rf"^{re.escape(start)}.*$", lambda _: "\n".join(lines), configuration, flags=re.MULTILINE)
    assert count == 1, f"docs/kamailio.md: the line that starts with {start} is there {count} times"
    return changed


class Kamailio:
    """`relays`: what goes into rtpproxy_sock. `hosts`: addresses to listen on, all with the same port."""

    def __init__(self, folder: pathlib.Path, relays: Sequence[str], *, hosts: Sequence[str] = ("127.0.0.1",),
                 port: int | None = None, defines: Sequence[str] = (), parameters: Sequence[str] = (),
                 netns: str | None = None):
        self.hosts, self.port = hosts, free_port(host=hosts[0]) if port is None else port
        listen = [f"listen=udp:{literal(host)}:{self.port}" for host in hosts]
        defined = [f"#!define {name}" for name in defines]
        text = _replace_line(documented_configuration(), "listen=", defined + listen)
        text = _replace_line(text, "children=", ["children=2"])
        socks = f'modparam("rtpproxy", "rtpproxy_sock", "{" ".join(relays)}")'
        text = _replace_line(text, 'modparam("rtpproxy", "rtpproxy_sock"', [socks, *parameters])
        path = folder / "kamailio.cfg"
        path.write_text(text)
        runtime = folder / "kamailio-run"
        runtime.mkdir()
        self.process = Process("kamailio", ["kamailio", "-DD", "-E", "-f", str(path), "-P", str(runtime / "pid"),
                                            "-Y", str(runtime), "-m", "32", "-M", "4", "-w", str(runtime)],
                               folder, netns)

    def server(self, host: str | None = None) -> str:
        return f"{literal(host or self.hosts[0])}:{self.port}"

    def wait_ready(self, seconds: float = 10.0) -> "Kamailio":
        """It answers OPTIONS. Call it from the network namespace in which it listens."""
        host = self.hosts[0]
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((host, 0))
            probe.settimeout(0.1)
            own = f"{literal(host)}:{probe.getsockname()[1]}"

            def answers() -> bool:
                assert self.process.alive(), f"kamailio ended:\n{self.process.log()[-3000:]}"
                probe.sendto(OPTIONS.format(host=literal(host), own=own).encode(), (host, self.port))
                try:
                    return b"200 OK" in probe.recv(4096)
                except (TimeoutError, ConnectionRefusedError):
                    return False

            wait_until(answers, "Kamailio to answer OPTIONS", seconds)
        return self

    def stop(self) -> None:
        self.process.stop()


def literal(host: str) -> str:
    return f"[{host}]" if ":" in host else host
