"""A third party on its own address, as a program beside the test, so that it costs the media endpoints no time.

    python3 hostile.py SOURCE TARGET FIRST-PORT LAST-PORT PACKETS-A-SECOND rtp|garbage

Sprays every port of the range in turn until its input is closed, then prints what it has sent and heard as JSON."""
from __future__ import annotations

import dataclasses
import json
import pathlib
import random
import select
import socket
import subprocess
import sys
import time

BURST = 20
RANDOM = random.Random(1)
# Of the commands that chance can spell, a lone X is the one that would do something: it ends all calls.
HARMLESS = bytes.maketrans(b"Xx", b"??")


@dataclasses.dataclass(frozen=True)
class Heard:
    """One packet that the relay sent to the third party."""

    when: float  # time.monotonic(), the same clock in all processes
    from_port: int


@dataclasses.dataclass(frozen=True)
class Report:
    sent: int
    heard: list[Heard]

    def summary(self, spoken: dict[int, float]) -> str:
        """For each port of the relay that sent to the third party: how often, and from when to when, counted from the
        first packet of the party that uses the port."""
        lines = []
        for port in sorted({one.from_port for one in self.heard}):
            times = [one.when - spoken.get(port & ~1, 0.0) for one in self.heard if one.from_port == port]
            span = f"{min(times):.3f} to {max(times):.3f} s"
            lines.append(f"port {port}: {len(times)} packets, {span} after the party spoke")
        return "\n".join(lines)


class ThirdParty:
    def __init__(self, folder: pathlib.Path, *, target: str, ports: tuple[int, int], rate: int, kind: str,
                 source: str = "127.0.0.66"):
        argv = [sys.executable, __file__, source, target, str(ports[0]), str(ports[1]), str(rate), kind]
        with (folder / "third-party.log").open("wb") as log:
            self._child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        assert self._child.stdout is not None
        assert self._child.stdout.readline() == b"spraying\n", "the third party did not start"

    def finish(self) -> Report:
        output, _ = self._child.communicate(timeout=10)
        found = json.loads(output)
        return Report(found["sent"], [Heard(*one) for one in found["heard"]])

    def stop(self) -> None:
        self._child.kill()
        self._child.communicate()


def packet(kind: str, number: int) -> bytes:
    if kind == "rtp":
        return bytes([0x80, 0]) + (number & 0xffff).to_bytes(2, "big") + bytes(8) + b"third party"
    return RANDOM.randbytes(RANDOM.choice((1, 11, 12, 40, 172, 1200))).translate(HARMLESS)


def spray(source: str, target: str, ports: range, rate: int, kind: str) -> Report:
    sent, heard, start = 0, [], time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        sock.setblocking(False)
        print("spraying", flush=True)
        while not select.select([sys.stdin], [], [], 0)[0]:
            for _ in range(BURST):
                sock.sendto(packet(kind, sent), (target, ports[sent % len(ports)]))
                sent += 1
            while select.select([sock], [], [], max(0.0, start + sent / rate - time.monotonic()))[0]:
                _, (_, port) = sock.recvfrom(65536)
                heard.append(Heard(time.monotonic(), port))
    return Report(sent, heard)


if __name__ == "__main__":
    own, to, low, high, per_second, what = sys.argv[1:]
    result = spray(own, to, range(int(low), int(high) + 1), int(per_second), what)
    print(json.dumps({"sent": result.sent, "heard": [dataclasses.astuple(one) for one in result.heard]}))
