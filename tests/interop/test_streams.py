"""What is particular to streams: lines, pipelining, ends; and one command a connection on `unix:`."""
from __future__ import annotations

import itertools
import signal
import socket
import time

import clients
import pytest
from program import STREAMS, wait_for


@pytest.mark.parametrize("kind", STREAMS)
def test_many_lines_in_one_write_are_answered_in_order(start, kind: str) -> None:
    client = start(kind=kind).client
    client.send(b"V\nZ\r\n  VF 20050322 \nU c 127.0.0.1 5000 f\nD c f\n")
    replies = [client.line() for _ in range(5)]
    assert replies[:3] == ["20040107\n", "E0\n", "1\n"]
    assert replies[3].endswith(" 127.0.0.1\n")
    assert replies[4] == "0\n"


@pytest.mark.parametrize("kind", STREAMS)
def test_a_line_may_come_in_pieces(start, kind: str) -> None:
    client = start(kind=kind).client
    for piece in (b"V", b"F 2005", b"0322", b"\n", b"V\nV"):
        client.send(piece)
        time.sleep(0.01)   # so that the pieces are read apart
    assert [client.line(), client.line()] == ["1\n", "20040107\n"]
    client.send(b"F never\n")
    assert client.line() == "0\n"


@pytest.mark.parametrize("kind", STREAMS)
def test_bad_commands_do_not_end_the_stream(start, kind: str) -> None:
    client = start(kind=kind).client
    for line, reply in [(b"\n", "E5\n"), (b"\r\n", "E5\n"), (b"V\0\n", "E5\n"), (b"Z\n", "E0\n"),
                        (b"w " * 24 + b"\n", "E5\n"), (b"y" * 8191 + b"\n", "E0\n"), (b"V\n", "20040107\n")]:
        client.send(line)
        assert client.line() == reply, line[:40]


@pytest.mark.parametrize("kind", ["cunix", "tcp", "tcp6", "systemd"])
def test_a_line_that_never_ends_ends_its_own_connection_only(start, kind: str) -> None:
    program = start(kind=kind)
    greedy, modest = program.client, program.connect()
    try:
        for _ in range(64):
            greedy.send(b"x" * 1024)
    except (BrokenPipeError, ConnectionResetError):
        pass   # closed while we wrote
    try:
        assert greedy.line() == ""
    except ConnectionResetError:
        pass   # closed with bytes of ours unread
    assert modest.ask("V") == ["20040107"]
    assert program.connect().ask("V") == ["20040107"]


@pytest.mark.parametrize("kind", ["cunix", "tcp", "tcp6", "systemd"])
def test_many_clients_have_streams_of_their_own(start, kind: str) -> None:
    program = start(kind=kind)
    streams = [program.connect() for _ in range(20)]
    for number, stream in enumerate(streams):
        stream.send(b"U c%d 127.0.0.1 5000 f\n" % number)
    assert all(stream.line().endswith(" 127.0.0.1\n") for stream in streams)
    assert program.client.ask("G nsess_created") == ["20"]


@pytest.mark.parametrize("request_text, reply", [
    (b"V", b"20040107\n"), (b"V\n", b"20040107\n"), (b"V\r\n", b"20040107\n"), (b"  VF 20050322 ", b"1\n"),
    (b"V\0", b"E5\n"), (b"\n", b"E5\n"), (b"Z", b"E0\n"), (b"w " * 24, b"E5\n"),
])
def test_unix_takes_one_command_a_connection(start, request_text: bytes, reply: bytes) -> None:
    assert start(kind="unix").client.raw(request_text) == reply


def test_unix_client_that_says_nothing_holds_nobody_up(start) -> None:
    program = start(kind="unix")
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(program.path)
        assert program.client.ask("V") == ["20040107"]
    assert program.client.ask("V") == ["20040107"]


@pytest.mark.parametrize("kind", ["stdio", "stdioc"])
def test_the_end_of_input_ends_the_program_when_no_session_is_left(start, kind: str) -> None:
    program = start(kind=kind)
    assert program.client.ask("U c 127.0.0.1 5000 f")[0].endswith(" 127.0.0.1")
    assert program.client.ask("D c f") == ["0"]
    program.child.stdin.close()
    assert program.wait_for_end() == 0


def test_a_file_of_commands_may_be_piped_in(start) -> None:
    program = start(kind="stdio")
    program.child.stdin.write(b"V\nVF 20050322\nX\n")
    program.child.stdin.close()
    assert program.child.stdout.read() == b"20040107\n1\n0\n"
    assert program.wait_for_end() == 0


def test_many_kinds_at_once_see_the_same_sessions(start, tmp_path) -> None:
    path = tmp_path / "second"
    program = start(["-l", "127.0.0.1", "-s", f"cunix:{path}"])
    second = wait_for(lambda: clients.connect(socket.AF_UNIX, str(path)), "the second socket")
    port = program.client.ask("U c 127.0.0.1 5000 f")
    assert second.ask("U c 127.0.0.1 5000 f") == port
    second.close()


def test_a_drain_refuses_new_sessions_and_keeps_the_others(start) -> None:
    program = start()
    port = program.client.ask("U c 127.0.0.1 5000 f")
    program.child.send_signal(signal.SIGHUP)
    # Until the signal has been seen a session is made, which is then one that goes on: each try is a new call.
    calls = (f"d{number}" for number in itertools.count())
    wait_for(lambda: program.client.ask(f"U {next(calls)} 127.0.0.1 5000 f") == ["E99"] or None, "E99")
    assert program.client.ask("U c 127.0.0.1 5000 f") == port
    assert program.client.ask("L c 127.0.0.1 5002 f t")[0].endswith(" 127.0.0.1")
    assert program.client.ask("X") == ["0"]
    assert program.wait_for_end() == 0
