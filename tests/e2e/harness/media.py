"""Media endpoints that count: every packet is numbered and signed by its sender, so that "not a packet lost" is
a comparison of sets. One thread carries all of them, paced at the rate of real audio."""
from __future__ import annotations

import collections
import heapq
import itertools
import selectors
import socket
import struct
import threading
import time
from typing import Callable, Iterator

PACKET_TIME = 0.02
PAYLOAD_BYTES = 160
RTCP_EVERY = 25          # one receiver report beside so many RTP packets
RECEIVE_BUFFER = 1 << 20  # a busy machine may keep the thread waiting; the kernel keeps the packets meanwhile

Address = tuple[str, int]
RTP = struct.Struct("!BBHII")
RTCP = struct.Struct("!BBHI")
SOURCES = itertools.count(0x1000)


def bind_pair(host: str) -> tuple[socket.socket, socket.socket]:
    """An even port and the one above it, both bound."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        pair = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(2)]
        try:
            pair[0].bind((host, 0))
            port = pair[0].getsockname()[1]
            if port % 2 == 0:
                pair[1].bind((host, port + 1))
                for one in pair:
                    one.setblocking(False)
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
                return pair[0], pair[1]
        except OSError:
            pass
        for one in pair:
            one.close()


class Endpoint:
    """One media stream of one party. Its SSRC is its own in the whole run."""

    def __init__(self, host: str):
        self.rtp, self.rtcp = bind_pair(host)
        self.host, self.port = host, self.rtp.getsockname()[1]
        self.ssrc = next(SOURCES)
        self.remote: Address | None = None
        self.left = 0                                    # packets still to be sent
        self.sent = 0
        self.rtcp_sent = 0
        self.received: dict[int, list[int]] = collections.defaultdict(list)  # by SSRC: sequence numbers, as they came
        self.rtcp_received: collections.Counter[int] = collections.Counter()
        self.foreign: list[float] = []                   # when something came that no endpoint of ours has made
        self.first_sent: float | None = None

    def numbered(self, sequence: int) -> bytes:
        payload = struct.pack("!IH", self.ssrc, sequence) * (PAYLOAD_BYTES // 6 + 1)
        return RTP.pack(0x80, 0, sequence, sequence * 160, self.ssrc) + payload[:PAYLOAD_BYTES]

    def send_one(self) -> None:
        assert self.remote is not None
        if self.first_sent is None:
            self.first_sent = time.monotonic()
        self.rtp.sendto(self.numbered(self.sent), self.remote)
        if self.sent % RTCP_EVERY == 0:
            report = RTCP.pack(0x80, 201, 1, self.ssrc)
            self.rtcp.sendto(report, (self.remote[0], self.remote[1] + 1))
            self.rtcp_sent += 1
        self.sent += 1
        self.left -= 1

    def take_rtp(self, datagram: bytes) -> None:
        if len(datagram) != RTP.size + PAYLOAD_BYTES:
            self.foreign.append(time.monotonic())
            return
        _, _, sequence, _, ssrc = RTP.unpack_from(datagram)
        if struct.unpack_from("!IH", datagram, RTP.size + 6) != (ssrc, sequence):
            self.foreign.append(time.monotonic())
            return
        self.received[ssrc].append(sequence)

    def take_rtcp(self, datagram: bytes) -> None:
        if len(datagram) == RTCP.size:
            self.rtcp_received[RTCP.unpack(datagram)[3]] += 1
        else:
            self.foreign.append(time.monotonic())

    def heard(self, other: "Endpoint") -> int:
        return len(set(self.received[other.ssrc]))

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


class MediaHub:
    """The thread that sends and receives for all endpoints. Other threads hand it work by `post`."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._due: list[tuple[float, int, Endpoint]] = []
        self._inbox: collections.deque[Callable[[], None]] = collections.deque()
        self._endpoints: list[Endpoint] = []
        self._watchers: list[Callable[[], None]] = []
        self._order = 0
        self._running = True
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="media", daemon=True)
        self._thread.start()

    def endpoint(self, host: str) -> Endpoint:
        """Binds in the caller's thread, and therefore in the caller's network namespace."""
        one = Endpoint(host)
        self._endpoints.append(one)
        self.post(lambda: self._watch(one))
        return one

    def post(self, work: Callable[[], None]) -> None:
        self._inbox.append(work)

    def every_turn(self, look: Callable[[], None]) -> None:
        self.post(lambda: self._watchers.append(look))

    def start(self, endpoint: Endpoint, remote: Address, packets: int) -> None:
        """From the hub's thread only: sends `packets` to `remote`, or goes on toward a new one."""
        idle = endpoint.left <= 0
        endpoint.remote, endpoint.left = remote, packets
        if idle and packets > 0:
            self._schedule(time.monotonic(), endpoint)

    def stop(self, endpoint: Endpoint) -> None:
        endpoint.left = 0

    def close(self) -> None:
        self._running = False
        self._thread.join()
        for one in self._endpoints:
            one.close()
        self._selector.close()
        if self.failure is not None:
            raise self.failure

    def _watch(self, one: Endpoint) -> None:
        self._selector.register(one.rtp, selectors.EVENT_READ, one.take_rtp)
        self._selector.register(one.rtcp, selectors.EVENT_READ, one.take_rtcp)

    def _schedule(self, when: float, endpoint: Endpoint) -> None:
        self._order += 1
        heapq.heappush(self._due, (when, self._order, endpoint))

    def _run(self) -> None:
        try:
            while self._running:
                self._turn()
        except BaseException as error:  # shown by close(), in the thread of the test
            self.failure = error

    def _turn(self) -> None:
        while self._inbox:
            self._inbox.popleft()()
        for look in self._watchers:
            look()
        for key, _ in self._selector.select(self._patience()):
            for datagram in drain(key.fileobj):
                key.data(datagram)
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            when, _, endpoint = heapq.heappop(self._due)
            if endpoint.left > 0:
                endpoint.send_one()
            if endpoint.left > 0:
                self._schedule(when + PACKET_TIME, endpoint)

    def _patience(self) -> float:
        if not self._due:
            return 0.005
        return min(0.005, max(0.0, self._due[0][0] - time.monotonic()))


def drain(sock: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            yield sock.recv(65536)
        except (BlockingIOError, ConnectionRefusedError):
            return
