"""What is particular to datagrams: cookies, the cache of replies, and datagrams that are no commands."""
from __future__ import annotations

import pytest

KINDS = ["udp", "udp6"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("datagram, reply", [
    (b"abc V", b"abc 20040107\n"),
    (b"1_2_3  V\n", b"1_2_3 20040107\n"),
    (b"123_456_7 V\r\n", b"123_456_7 20040107\n"),
    (b" \t8_9\tV \n\n", b"8_9 20040107\n"),
    (b"x Z", b"x E0\n"),
    (b"V", b"V E5\n"),
    (b"V\n", b"V E5\n"),
    (b"", b"E5\n"),
    (b" \r\n\t ", b"E5\n"),
    (b"c1 V\0", b"c1 E5\n"),
    (b"c2 \0", b"c2 E5\n"),
    (b"c3 U c\0d 127.0.0.1 1 f", b"c3 E5\n"),
    (b"c4 " + b"w " * 23, b"c4 E0\n"),
    (b"c5 " + b"w " * 24, b"c5 E5\n"),
    (b"c6 U c - 0 f" + b" && D" * 15 + b" && D", b"c6 E5\n"),
    (b"c7 U c - 0 f" + b" && D x" * 15, b"c7 E3\n"),
    (b"c8 &&", b"c8 E5\n"),
    (b"\xff\xfe \xff", b"\xff\xfe E0\n"),
    (b"k" * 4000 + b" V", b"k" * 4000 + b" 20040107\n"),
    (b"c9 " + b"y" * 8188, b"c9 E0\n"),
    (b"c10 " + b"y" * 8188, b"c10 E5\n"),
    (b"c11 V" + b" " * 60000, b"c11 E5\n"),
    (b"c12 U " + b"c" * 4097 + b" - 0 f", b"c12 E98\n"),
    (b"c13 Q " + b"c" * 4097 + b" f", b"c13 E50\n"),
], ids=lambda value: repr(value[:12]) if isinstance(value, bytes) else value)
def test_a_datagram_is_answered_under_its_cookie(start, kind: str, datagram: bytes, reply: bytes) -> None:
    assert start(kind=kind).client.raw(datagram) == reply


@pytest.mark.parametrize("kind", KINDS)
def test_a_cookie_that_was_answered_is_answered_again_and_nothing_is_run(start, kind: str) -> None:
    program = start(kind=kind)
    client, other = program.client, program.connect()
    first = client.raw(b"ck1 U c1 127.0.0.1 5000 f1")
    assert client.raw(b"ck1 U c1 127.0.0.1 5000 f1") == first
    assert client.ask("G nsess_created") == ["1"]
    assert client.raw(b"gone X") == b"gone 0\n"
    # Only the cookie counts: not the words, not what has become of the session, not who asks.
    assert client.raw(b"ck1 V") == first
    assert client.raw(b"ck1") == first
    assert other.raw(b"ck1 X") == first
    assert client.ask("Q c1 f1") == ["E50"]


def test_errors_are_answered_again_too_and_repeats_are_counted_apart(start) -> None:
    client = start().client
    names = "ncmds_rcvd ncmds_rcvd_ndups ncmds_succd ncmds_errs ncmds_repld"
    before = [int(value) for value in client.ask(f"G {names}")[0].split()]
    assert client.raw(b"bad Z") == b"bad E0\n"
    assert client.raw(b"bad V") == b"bad E0\n"
    assert client.raw(b"bad V") == b"bad E0\n"
    after = [int(value) for value in client.ask(f"G {names}")[0].split()]
    # Since then: `G` has been answered, `Z` was answered once, and another `G` has come.
    assert [now - then for then, now in zip(before, after, strict=True)] == [2, 2, 1, 1, 2]


def test_datagrams_without_a_cookie_are_never_kept(start) -> None:
    client = start().client
    before = int(client.ask("G ncmds_rcvd")[0])
    assert client.raw(b"") == client.raw(b"\n") == b"E5\n"
    assert int(client.ask("G ncmds_rcvd")[0]) == before + 3
