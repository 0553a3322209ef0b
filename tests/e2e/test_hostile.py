"""Floods and malformed commands while calls run: the calls do not notice."""
from __future__ import annotations

import contextlib
import resource
import socket
from typing import Iterator

import pytest

from harness.calls import Calls
from harness.process import free_port, wait_until
from harness.relay import DROP_IN, MILLRACE, PROTOCOL_VERSION, Relay
from harness.sipp import simple_call, simple_callee
from scene import Plan, Scene

PORTS = (22000, 22099)
CALLS = 10
HALF_OPEN = 10_000
MOST_MEMORY_KIB = 32 * 1024  # what ten thousand half-open connections may cost the relay
VERSION = f"{PROTOCOL_VERSION}\n".encode()


class Streams:
    """A scene whose relay also listens on TCP and on a Unix socket."""

    def __init__(self, stage):
        self.tcp_port = free_port(socket.SOCK_STREAM)
        self.path = str(stage.folder / "control.sock")
        self.relay: Relay = stage.relay(ports=PORTS, control=[f"tcp:127.0.0.1:{self.tcp_port}", f"cunix:{self.path}"])
        self.scene = Scene(stage, self.relay)

    def tcp(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.tcp_port), timeout=5)

    def unix(self) -> socket.socket:
        one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        one.settimeout(5)
        one.connect(self.path)
        return one


@pytest.fixture
def streams(stage) -> Streams:
    return Streams(stage)


@contextlib.contextmanager
def calls_running(scene: Scene) -> Iterator[Calls]:
    """Calls that are under way inside the block, and must end without a lost packet after it."""
    calls = scene.start(Plan(simple_call(4), simple_callee(), packets=120, count=CALLS))
    wait_until(lambda: calls.talking() == CALLS, "all calls to carry audio")
    yield calls
    scene.finish()
    calls.expect_lossless(CALLS)
    scene.expect_nothing_left()


@pytest.mark.parametrize("program", [DROP_IN, MILLRACE])
def test_garbage_on_control_and_media_sockets_costs_the_calls_no_packet(stage, program, record_property):
    relay = stage.relay(program=program, ports=PORTS, settings=["latching.policy=safe"])
    scene = Scene(stage, relay)
    control = stage.third_party(target="127.0.0.1", ports=(relay.control_port,) * 2, rate=2000, kind="garbage")
    with calls_running(scene) as calls:
        media = stage.third_party(target=stage.media_address, ports=PORTS, rate=4000, kind="garbage",
                                  source="127.0.0.67")
        # Taken up again by the block's end: the calls go on for seconds under both floods.
    record_property("datagrams at the control socket", control.finish().sent)
    report = media.finish()
    record_property("datagrams at the media ports", report.sent)
    assert not report.heard, report.summary({one.remote[1]: one.first_sent for one in calls.in_use()})
    assert relay.process.alive()


def test_ten_thousand_half_open_connections_cost_bounded_memory_and_nobody_else(streams):
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < HALF_OPEN + 1000:
        pytest.skip("the descriptor limit is too low for so many connections")
    with contextlib.ExitStack() as stack, calls_running(streams.scene):
        patient = stack.enter_context(streams.tcp())
        expect_answers(patient)
        before = streams.relay.process.resident_kib()
        for _ in range(HALF_OPEN):
            one = stack.enter_context(streams.tcp())
            with contextlib.suppress(ConnectionError):
                one.send(b"U half-a-command 127.0.0.1 ")
        assert streams.relay.process.resident_kib() - before < MOST_MEMORY_KIB
        expect_answers(patient)
        assert streams.relay.ask("V") == PROTOCOL_VERSION
    with streams.tcp() as newcomer:
        expect_answers(newcomer)


def expect_answers(connection: socket.socket) -> None:
    connection.sendall(b"V\n")
    assert connection.recv(100) == VERSION


@pytest.mark.parametrize("open_stream", [Streams.tcp, Streams.unix], ids=["tcp", "cunix"])
def test_a_command_without_end_ends_its_own_connection_only(streams, open_stream):
    with open_stream(streams) as other, open_stream(streams) as endless:
        expect_answers(other)
        with contextlib.suppress(ConnectionError):
            endless.sendall(b"U" * 65536)
        with contextlib.suppress(ConnectionError):
            assert endless.recv(100) == b"", "a line that does not fit must end the connection"
        expect_answers(other)


def test_a_datagram_of_64_kib_changes_nothing(streams):
    with calls_running(streams.scene) as calls:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.66", 0))
            for body in (b"huge U " + b"c" * 65000, b"\0" * 65507):
                sock.sendto(body, ("127.0.0.1", streams.relay.control_port))
            for one in calls.in_use():
                sock.sendto(b"\x80" + bytes(65506), one.remote)
        assert streams.relay.ask("V") == PROTOCOL_VERSION
        assert streams.relay.control.active_sessions() == CALLS


def test_a_nul_inside_a_command_is_refused(streams):
    assert streams.relay.ask("U with\0nul 127.0.0.1 5000 tag") == "E5"
    for open_stream in (streams.tcp, streams.unix):
        with open_stream() as connection:
            connection.sendall(b"U with\0nul 127.0.0.1 5000 tag\n")
            assert connection.recv(100) == b"E5\n"
            expect_answers(connection)
    assert streams.relay.control.active_sessions() == 0
