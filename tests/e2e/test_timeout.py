"""A call whose media stops: the relay ends it and tells the listener that Kamailio named."""
from __future__ import annotations

import socket
import time

import pytest

from harness.relay import DROP_IN, MILLRACE
from harness.sipp import (ack, answer, confirmed, expect, invite, offered, pause, reinvite, ringing, sdp, trying)
from scene import Plan, Scene

TAG = "kamailio"
IDLE_SECONDS = 2


@pytest.mark.parametrize("program", [DROP_IN, MILLRACE])
def test_the_listener_hears_of_a_call_that_went_silent(stage, program):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        target = f"tcp:127.0.0.1:{listener.getsockname()[1]}"
        scene = Scene(stage, stage.relay(program=program, notify=target, idle_seconds=IDLE_SECONDS),
                      parameters=[f'modparam("rtpproxy", "timeout_socket", "{target} {TAG}")'])
        # Both crash without a BYE. The re-INVITE is there because Kamailio names the listener only with a to-tag.
        caller = [invite(), trying(), ringing(), expect(200, note=["[field0]"]), ack(), pause(0.2),
                  reinvite(sdp(), 2), trying(), expect(200), ack(2), pause(0.8)]
        callee = [offered(), answer("200 OK", sdp()), confirmed(), offered(),
                  answer("200 OK", sdp(), within_dialog=True), confirmed(), pause(0.8)]
        calls = scene.place(Plan(caller, callee, packets=40))
        calls.expect_lossless(1)
        silent_since = time.monotonic()

        connection, _ = listener.accept()
        with connection:
            connection.settimeout(10)
            assert connection.makefile("rb").readline() == f"{TAG}\n".encode()
    assert IDLE_SECONDS - 1 <= time.monotonic() - silent_since <= IDLE_SECONDS + 3
    assert scene.relay.control.counters("nsess_timeout") == {"nsess_timeout": 1}
    scene.expect_nothing_left()
