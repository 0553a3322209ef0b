"""The relays of a comparison: how each is started on one CPU, asked whether it is ready, and stopped."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from shared import machine
from shared.machine import BIN

CONTROL = "127.0.0.1:22991"
# 4,000 calls of four ports, from below the generator's: those are on another loopback address.
PORT_MIN, PORT_MAX = 10000, 59999
READY_WITHIN_S = 10.0


@dataclass(frozen=True)
class Relay:
    name: str
    title: str
    protocol: str
    command: tuple[str, ...]

    @property
    def probe(self) -> bytes:
        """Any relay of this protocol answers it."""
        return b"bench d7:command4:pinge" if self.protocol == "ng" else b"bench V"


def known_relays(scratch: Path) -> dict[str, Relay]:
    host, port = CONTROL.split(":")
    return {
        relay.name: relay
        for relay in (
            # One worker thread on one CPU: measured, two of them there cost about twice the processor time a packet.
            # The delete delay is what a deleted call would keep its ports for.
            Relay("rtpengine", "rtpengine (userspace)", "ng",
                  ("rtpengine", "--table=-1", "--interface=127.0.0.1", f"--listen-ng={CONTROL}",
                   f"--port-min={PORT_MIN}", f"--port-max={PORT_MAX}", "--num-threads=1", "--delete-delay=0",
                   "--foreground", "--log-stderr", "--log-level=1", "--log-facility=local0",
                   f"--pidfile={scratch}/rtpengine.pid", "--config-file=none")),
            Relay("bare", "bare relay of mrload", "rtpproxy",
                  (str(BIN / "mrload"), "--bare-relay", "--relay", CONTROL)),
            Relay("millrace", "millrace", "rtpproxy",
                  (str(BIN / "millrace"), "--set", "media.address=127.0.0.1",
                   "--set", f"media.ports={PORT_MIN}-{PORT_MAX}", "--set", f"rtpproxy.listen=udp:{CONTROL}",
                   "--set", "grpc.listen=127.0.0.1:0",
                   "--set", f"admin.socket={scratch}/admin.sock", "--set", "log.level=warning")),
            Relay("rtpproxy", "millrace as rtpproxy", "rtpproxy",
                  (str(BIN / "rtpproxy"), "-f", "-F", "-l", host, "-s", f"udp:{host}:{port}", "-m", str(PORT_MIN),
                   "-M", str(PORT_MAX), "-p", f"{scratch}/rtpproxy.pid",
                   "--set", f"admin.socket={scratch}/admin.sock")),
        )
    }


def missing(relay: Relay) -> bool:
    return shutil.which(relay.command[0]) is None


def _answers(relay: Relay) -> bool:
    host, port = CONTROL.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.1)
        sock.connect((host, int(port)))
        with contextlib.suppress(OSError):
            sock.send(relay.probe)
            return sock.recv(2048).startswith(b"bench ")
    time.sleep(0.05)
    return False


@contextlib.contextmanager
def running(relay: Relay, cpu: int):
    """The process id of the relay, alone on its CPU; it is gone afterwards, whatever happens."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(["taskset", "-c", str(cpu), *relay.command], stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + READY_WITHIN_S
            while not _answers(relay):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    said = log.read()[-2000:].decode(errors="replace").strip()
                    raise RuntimeError(f"{relay.name} did not start: {said or 'it said nothing'}")
            yield process.pid
        finally:
            machine.stop(process)


def version_of(relay: Relay) -> str:
    words = [relay.command[0], "-V" if relay.name == "rtpproxy" else "--version"]
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(words, capture_output=True, text=True, timeout=5, check=False)
        lines = (done.stdout + done.stderr).strip().splitlines()
        if lines:
            return lines[0]
    return "unknown"


def free_cpus() -> list[int]:
    return sorted(os.sched_getaffinity(0))
