"""Joins signalling to media: sipp says where the SDP sends each party, and the endpoints of both parties begin to talk
once both know."""
from __future__ import annotations

import collections
import dataclasses
import pathlib
from typing import Sequence

from .media import Address, Endpoint, MediaHub
from .process import wait_until


MAX_STREAMS = 4
ROLES = ("caller", "callee")
Side = tuple[str, int]  # role, number of the media stream


@dataclasses.dataclass
class Note:
    """One time that a party received SDP, with the packets that it had heard by then."""

    role: str
    heard: int


@dataclasses.dataclass
class Call:
    """For each side the endpoints that it has used, the present one last: a party may move its media."""

    sides: dict[Side, list[Endpoint]] = dataclasses.field(default_factory=lambda: collections.defaultdict(list))
    notes: list[Note] = dataclasses.field(default_factory=list)

    def streams(self) -> list[tuple[list[Endpoint], list[Endpoint]]]:
        """The media streams of which both sides are known."""
        both = [[self.sides.get((role, stream)) for role in ROLES] for stream in range(MAX_STREAMS)]
        return [(caller, callee) for caller, callee in both if caller and callee]


class Calls:
    """Follows the logs of caller and callee in the hub's thread. `packets`: how many each endpoint sends."""

    def __init__(self, hub: MediaHub, packets: int):
        self.hub, self.packets = hub, packets
        self.by_id: dict[str, Call] = collections.defaultdict(Call)
        self._endpoints: dict[tuple[str, int], tuple[Endpoint, int]] = {}
        self._remotes: dict[Endpoint, Address] = {}
        self._logs: dict[str, tuple[pathlib.Path, int]] = {}

    def endpoints(self, role: str, host: str, calls: int, ports: Sequence[int] = (0,)) -> list[list[int]]:
        """Binds endpoints for `calls` calls, one for each port that a call uses; `ports` says for which media stream
        each of them is. Returns the ports as sipp's injection file wants them."""
        table = []
        for _ in range(calls):
            row = []
            for stream in ports:
                one = self.hub.endpoint(host)
                self._endpoints[role, one.port] = (one, stream)
                row.append(one.port)
            table.append(row)
        return table

    def follow(self, caller_log: pathlib.Path, callee_log: pathlib.Path) -> None:
        for log in (caller_log, callee_log):
            log.touch()
        self._logs = {"caller": (caller_log, 0), "callee": (callee_log, 0)}
        self.hub.every_turn(self._read_logs)

    def _read_logs(self) -> None:
        for role, (path, position) in self._logs.items():
            with path.open("rb") as log:
                log.seek(position)
                text = log.read()
            whole = text[:text.rfind(b"\n") + 1]
            self._logs[role] = (path, position + len(whole))
            for line in whole.decode().splitlines():
                if line.startswith("media "):
                    _, call_id, own, address, port = line.split()
                    self._learned(role, call_id, int(own), (address, int(port)))

    def _learned(self, role: str, call_id: str, own: int, remote: Address) -> None:
        endpoint, stream = self._endpoints[role, own]
        call = self.by_id[call_id]
        used = call.sides[role, stream]
        call.notes.append(Note(role, sum(map(len, endpoint.received.values()))))
        self._remotes[endpoint] = remote
        if endpoint not in used:
            for previous in used:
                self.hub.stop(previous)
            used.append(endpoint)
        sides = [call.sides[one, stream] for one in ROLES]
        if not all(sides):
            return
        for one in (sides[0][-1], sides[1][-1]):
            fresh = one.sent == 0 and one.left == 0
            self.hub.start(one, self._remotes[one], self.packets if fresh else one.left)

    def streams(self) -> list[tuple[list[Endpoint], list[Endpoint]]]:
        return [pair for call in list(self.by_id.values()) for pair in call.streams()]

    def in_use(self) -> list[Endpoint]:
        """The present endpoints of all parties."""
        return [side[-1] for pair in self.streams() for side in pair]

    def talking(self) -> int:
        """Streams in which each side has heard the other."""
        return sum(1 for a, b in self.streams() if a[-1].heard(b[-1]) and b[-1].heard(a[-1]))

    def finished(self) -> bool:
        """Every endpoint in use has sent all that it was to send."""
        return all(one.sent == self.packets for one in self.in_use())

    def losses(self, at_first: int = 0) -> list[str]:
        """Every way in which the media was not perfect, in words. A party whose address is not the signalled one cannot
        be reached before it has spoken: `at_first` packets of each direction, the very first, may be missing."""
        faults = []
        for call_id, call in list(self.by_id.items()):
            for caller, callee in call.streams():
                faults += [f"{call_id}, caller: {fault}" for fault in faults_of(caller, callee, at_first)]
                faults += [f"{call_id}, callee: {fault}" for fault in faults_of(callee, caller, at_first)]
        return faults

    def expect_lossless(self, calls: int, streams: int = 1, at_first: int = 0) -> None:
        """All calls took place, every endpoint sent all its packets, and each arrived once, whole."""
        assert len(self.streams()) == calls * streams, f"{len(self.streams())} streams of {calls} calls had media"
        wait_until(self.finished, "all media to be sent", 20)
        try:
            wait_until(lambda: not self.losses(at_first), "the last packets", 2)
        except AssertionError:
            raise AssertionError("\n".join(self.losses(at_first)[:40])) from None


def faults_of(hearers: list[Endpoint], speakers: list[Endpoint], at_first: int = 0) -> list[str]:
    """What `hearers`, the endpoints of one party, should have heard of the other party and did not, or the reverse."""
    faults = []
    for speaker in speakers:
        heard = [sequence for one in hearers for sequence in one.received[speaker.ssrc]]
        missing = sorted(set(range(speaker.sent)) - set(heard))
        if missing != list(range(min(len(missing), at_first))):
            faults.append(f"missed {len(missing)} of {speaker.sent} packets: {missing[:10]}")
        if len(heard) != len(set(heard)):
            faults.append(f"got {len(heard) - len(set(heard))} packets more than once")
        reports = sum(one.rtcp_received[speaker.ssrc] for one in hearers)
        if not speaker.rtcp_sent - min(at_first, 1) <= reports <= speaker.rtcp_sent:
            faults.append(f"got {reports} of {speaker.rtcp_sent} RTCP packets")
    known = {speaker.ssrc for speaker in speakers}
    for one in hearers:
        strangers = [ssrc for ssrc in list(one.received) if ssrc not in known]
        if strangers or one.foreign:
            faults.append(f"port {one.port} got packets of strangers {strangers} and {len(one.foreign)} foreign ones")
    return faults
