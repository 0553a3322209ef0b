"""Packets through the drop-in, and what its counters say of them afterwards."""
from __future__ import annotations

import itertools
import socket
import struct
from typing import Callable

import pytest
from program import Program, wait_for

SSRC = 0x11223344


def rtp(number: int, ssrc: int = SSRC, payload: bytes = b"\xd5" * 160) -> bytes:
    return struct.pack("!BBHII", 0x80, 0, number, number * 160, ssrc) + payload


class Phone:
    """A party with an RTP socket, and one for RTCP on the next port."""

    def __init__(self, host: str = "127.0.0.1"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        while True:
            self.rtp, self.rtcp = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_DGRAM)
            self.rtp.bind((host, 0))
            self.host, self.port = host, self.rtp.getsockname()[1]
            try:
                self.rtcp.bind((host, self.port + 1))
                break
            except (OSError, OverflowError):
                self.close()
        for each in (self.rtp, self.rtcp):
            each.settimeout(2)

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()

    @property
    def address(self) -> str:
        return f"{self.host} {self.port}"


@pytest.fixture
def phone() -> Callable[..., Phone]:
    made: list[Phone] = []

    def one(host: str = "127.0.0.1") -> Phone:
        made.append(Phone(host))
        return made[-1]

    yield one
    for each in made:
        each.close()


def port_of(reply: list[str]) -> tuple[str, int]:
    words = reply[0].split()
    return words[1], int(words[0])


class Call:
    """A complete session: X's media goes to `to_x`, Y's to `to_y`."""

    def __init__(self, program: Program, x: Phone, y: Phone, letters: str = ""):
        self.client, self.x, self.y = program.client, x, y
        self.to_y = port_of(self.client.ask(f"U{letters} c {x.address} f"))
        self.to_x = port_of(self.client.ask(f"L{'6' if ':' in y.host else ''} c {y.address} f t"))

    def counts(self, names: str = "npkts_ina npkts_ino nrelayed ndropped") -> list[int]:
        return [int(word) for word in self.client.ask(f"Q c f t {names}")[0].split()]

    def wait_for_counts(self, expected: list[int], names: str = "npkts_ina npkts_ino nrelayed ndropped") -> None:
        """A packet may be heard a moment before it is counted."""
        wait_for(lambda: self.counts(names) == expected or None, f"{names} of {expected}", 2)


def totals(client: object, names: str) -> list[int]:
    return [int(word) for word in client.ask(f"G {names}")[0].split()]


def silent(*sockets: socket.socket) -> bool:
    for each in sockets:
        each.settimeout(0.1)
        try:
            each.recv(100)
            return False
        except TimeoutError:
            pass
    return True


def test_media_leaves_from_the_port_that_its_receiver_was_told_of_and_both_ways_count(start, phone) -> None:
    call = Call(start(), phone(), phone())
    for number in range(21):
        call.x.rtp.sendto(rtp(number), call.to_x)
        assert call.y.rtp.recvfrom(2000) == (rtp(number), call.to_y)
    call.y.rtp.sendto(rtp(7, ssrc=9), call.to_y)
    assert call.x.rtp.recvfrom(2000) == (rtp(7, ssrc=9), call.to_x)
    call.wait_for_counts([21, 1, 22, 0])
    assert call.client.ask("Q c t f")[0].split()[1:] == ["1", "21", "22", "0"]
    # RTCP has ports of its own, and is in the totals alone.
    call.x.rtcp.sendto(b"\x80\xc9\x00\x01\0\0\0\x01", (call.to_x[0], call.to_x[1] + 1))
    assert call.y.rtcp.recvfrom(2000)[1] == (call.to_y[0], call.to_y[1] + 1)
    wait_for(lambda: totals(call.client, "npkts_rcvd npkts_relayed npkts_discard") == [23, 23, 0] or None, "totals")
    assert call.counts() == [21, 1, 22, 0]
    assert call.client.ask("I", 5)[3:] == ["packets received: 23", "packets transmitted: 23"]


@pytest.mark.parametrize("datagram", [b"\0", b"x", b"\x80\xc8\0\0", rtp(1) * 40, b"y" * 8192], ids=len)
def test_whatever_comes_is_relayed_as_it_came(start, phone, datagram: bytes) -> None:
    call = Call(start(), phone(), phone())
    call.x.rtp.sendto(datagram, call.to_x)
    assert call.y.rtp.recvfrom(10000) == (datagram, call.to_y)


def test_before_both_legs_are_there_packets_are_thrown_away_and_teach_nothing(start, phone) -> None:
    program, x, y, stranger = start(), phone(), phone(), phone()
    to_y = port_of(program.client.ask(f"U c {x.address} f"))
    for _ in range(3):
        stranger.rtp.sendto(rtp(1), to_y)
    wait_for(lambda: totals(program.client, "npkts_rcvd npkts_discard") == [3, 3] or None, "three discarded packets")
    call = Call(program, x, y)
    x.rtp.sendto(rtp(1), call.to_x)
    assert y.rtp.recvfrom(2000) == (rtp(1), to_y)
    call.wait_for_counts([1, 0, 1, 0])


def test_a_stranger_is_ignored_and_shows_only_in_the_totals(start, phone) -> None:
    call, stranger = Call(start(), phone(), phone()), phone()
    call.x.rtp.sendto(rtp(1), call.to_x)
    call.y.rtp.recv(2000)
    stranger.rtp.sendto(rtp(2, ssrc=5), call.to_x)
    wait_for(lambda: totals(call.client, "npkts_rcvd npkts_discard") == [2, 1] or None, "the discarded packet")
    assert call.counts() == [1, 0, 1, 0]
    assert silent(call.y.rtp, stranger.rtp)


def test_what_has_nowhere_to_go_is_dropped_until_the_first_packet_says_where(start, phone) -> None:
    program, x, y = start(), phone(), phone()
    to_y = port_of(program.client.ask("U c - 0 f"))
    to_x = port_of(program.client.ask(f"L c {y.address} f t"))
    y.rtp.sendto(rtp(1), to_y)
    wait_for(lambda: program.client.ask("Q c f t npkts_ino ndropped") == ["1 1"] or None, "the dropped packet")
    x.rtp.sendto(rtp(1), to_x)
    assert y.rtp.recv(2000) == rtp(1)
    y.rtp.sendto(rtp(2), to_y)
    assert x.rtp.recvfrom(2000) == (rtp(2), to_x)


def test_numbers_tell_what_was_sent_what_came_and_what_did_not_parse(start, phone) -> None:
    call = Call(start(), phone(), phone())
    for number in (10, 11, 12, 13, 14, 17, 17):
        call.x.rtp.sendto(rtp(number), call.to_x)
    call.x.rtp.sendto(b"\x80\xc8\0\0", call.to_x)
    names = "rtpa_nsent rtpa_nrcvd rtpa_ndups rtpa_nlost rtpa_perrs"
    call.wait_for_counts([8, 6, 1, 2, 1], names)
    assert totals(call.client, names) == [0] * 5, "added when the session ends"
    call.client.ask("D c f")
    assert totals(call.client, names) == [8, 6, 1, 2, 1]
    assert totals(call.client, "nsess_complete nsess_nortp nsess_owrtp nsess_nortcp nsess_owrtcp") == [1, 0, 1, 1, 0]


def test_media_goes_over_between_ipv4_and_ipv6(start, phone) -> None:
    call = Call(start(["-l", "127.0.0.1", "-6", "/::1", "--bridge_symmetric"]), phone(), phone("::1"), "ie")
    assert call.to_y[0] == "::1"
    call.x.rtp.sendto(rtp(1), call.to_x)
    received, source = call.y.rtp.recvfrom(2000)
    assert (received, source[:2]) == (rtp(1), call.to_y)
    call.y.rtp.sendto(rtp(2), call.to_y)
    assert call.x.rtp.recvfrom(2000) == (rtp(2), call.to_x)


def test_bridging_takes_parties_to_be_asymmetric_unless_told(start, phone) -> None:
    call, other_port = Call(start(["-l", "127.0.0.1/127.0.0.2"]), phone(), phone()), phone()
    other_port.rtp.sendto(rtp(1), call.to_x)
    assert call.y.rtp.recv(2000) == rtp(1)
    call.y.rtp.sendto(rtp(2), call.to_y)
    assert call.x.rtp.recv(2000) == rtp(2), "where it was signalled, not where the packet came from"
    assert silent(other_port.rtp)


def test_a_renewed_port_carries_on_with_the_unchanged_other_leg(start, phone) -> None:
    call = Call(start(), phone(), phone())
    call.x.rtp.sendto(rtp(1), call.to_x)
    assert call.y.rtp.recvfrom(2000)[1] == call.to_y
    renewed = port_of(call.client.ask(f"Un c {call.x.address} f t"))
    assert renewed != call.to_y
    # A worker in the middle of its turn still sends from the old port; no packet is lost over the change.
    for number in itertools.count(2):
        call.x.rtp.sendto(rtp(number), call.to_x)
        received, source = call.y.rtp.recvfrom(2000)
        assert received == rtp(number) and source in (call.to_y, renewed)
        if source == renewed:
            break
        assert number < 100
    call.y.rtp.sendto(rtp(3, ssrc=9), renewed)
    assert call.x.rtp.recvfrom(2000) == (rtp(3, ssrc=9), call.to_x)


def test_small_packets_go_twice_when_asked_to(start, phone) -> None:
    call = Call(start(["-l", "127.0.0.1", "-2"]), phone(), phone())
    small, large = rtp(1, payload=b"s" * 115), rtp(2, payload=b"l" * 116)   # 127 and 128 bytes
    for datagram in (small, large):
        call.x.rtp.sendto(datagram, call.to_x)
    assert [call.y.rtp.recv(2000) for _ in range(3)] == [small, small, large]


def test_a_fork_gets_both_directions_and_its_own_parties_are_not_heard(start, phone) -> None:
    call = Call(start(), phone(), phone())
    a, b = phone(), phone()
    reply = call.client.ask(f"U copy {a.address} g h && L {b.address} && C c f t")[0].split(" && ")
    to_b, to_a = port_of(reply[:1]), port_of(reply[1:])
    # A worker in the middle of its turn does not copy yet, so each direction is sent until the copy is there.
    for sender, to, hearer, copy, copied_from in ((call.x, call.to_x, call.y, b, to_b),
                                                  (call.y, call.to_y, call.x, a, to_a)):
        copy.rtp.settimeout(0.1)
        for number in range(1, 20):
            datagram = rtp(number, ssrc=to[1])
            sender.rtp.sendto(datagram, to)
            assert hearer.rtp.recv(2000) == datagram
            try:
                assert copy.rtp.recvfrom(2000) == (datagram, copied_from)
                break
            except TimeoutError:
                continue
        else:
            pytest.fail("no copy has come")
    a.rtp.sendto(rtp(3), to_a)
    b.rtp.sendto(rtp(4), to_b)
    assert silent(call.x.rtp, call.y.rtp, a.rtp, b.rtp)
