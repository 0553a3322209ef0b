"""Real calls: sipp, Kamailio with its stock rtpproxy module, and the relay between counting media endpoints."""
from __future__ import annotations

import pytest

from harness.process import free_port
from harness.relay import DROP_IN, MILLRACE
from harness.sipp import (ack, answer, bye, cancel, cancelled, confirmed, expect, from_callee, hung_up, invite, offered,
                          offered_first, pause, refused, reinvite, ringing, sdp, simple_call, simple_callee, trying)
from scene import Plan, Scene

AUDIO, VIDEO = 0, 1
BOTH = ("[field0]", "[field1]")


@pytest.fixture
def scene(stage) -> Scene:
    return Scene(stage, stage.relay())


@pytest.mark.parametrize("program", [DROP_IN, MILLRACE])
def test_a_call_carries_audio_both_ways_and_leaves_nothing_behind(stage, program):
    scene = Scene(stage, stage.relay(program=program))
    calls = scene.place(Plan(simple_call(2), simple_callee(), packets=60))
    calls.expect_lossless(1)
    scene.expect_nothing_left()


def test_audio_and_video_of_one_call_are_relayed_side_by_side(scene):
    plan = Plan(simple_call(2, BOTH), simple_callee(BOTH), packets=60, caller_ports=(AUDIO, VIDEO),
                callee_ports=(AUDIO, VIDEO))
    scene.place(plan).expect_lossless(1, streams=2)
    scene.expect_nothing_left()


def test_a_party_that_moves_its_media_by_reinvite_is_followed(scene):
    moved = sdp(["[field1]"])
    caller = [invite(), trying(), ringing(), expect(200, note=["[field0]"]), ack(), pause(0.8),
              reinvite(moved, 2), trying(), expect(200, note=["[field1]"]), ack(2), pause(2.2), bye()]
    callee = [offered(), answer("200 OK", sdp()), confirmed(),
              offered(), answer("200 OK", sdp(), within_dialog=True), confirmed(), hung_up()]
    calls = scene.place(Plan(caller, callee, packets=60, caller_ports=(AUDIO, AUDIO)))
    calls.expect_lossless(1)
    [(old, new), _] = calls.streams()[0]
    assert 0 < old.sent < 60 and new.sent == 60
    assert sum(map(len, new.received.values())) > 0, "nothing arrived where the re-INVITE had said"
    scene.expect_nothing_left()


def test_the_callee_may_move_its_media_and_hang_up(scene):
    moved = sdp(["[field1]"])
    caller = [invite(), trying(), ringing(), expect(200, note=["[field0]"]), ack(),
              offered(), answer("200 OK", sdp(), within_dialog=True), confirmed(), hung_up()]
    callee = [offered_first(), answer("200 OK", sdp()), confirmed(), pause(0.8),
              from_callee("INVITE", 1, moved), trying(), expect(200, note=["[field1]"]), from_callee("ACK", 1),
              pause(2.2), from_callee("BYE", 2), expect(200)]
    calls = scene.place(Plan(caller, callee, packets=60, callee_ports=(AUDIO, AUDIO)))
    calls.expect_lossless(1)
    [(_, (old, new))] = calls.streams()
    assert 0 < old.sent < 60 and new.sent == 60
    assert sum(map(len, new.received.values())) > 0, "nothing arrived where the re-INVITE had said"
    scene.expect_nothing_left()


@pytest.mark.parametrize("held", [sdp(address="0.0.0.0"), sdp(direction="sendonly")], ids=["null address", "sendonly"])
def test_a_held_call_comes_back_with_all_its_audio(scene, held):
    caller = [invite(), trying(), ringing(), expect(200, note=["[field0]"]), ack(), pause(0.6),
              reinvite(held, 2), trying(), expect(200), ack(2), pause(0.8),
              reinvite(sdp(), 3), trying(), expect(200, note=["[field0]"]), ack(3), pause(1.6), bye()]
    again = [answer("200 OK", sdp(), within_dialog=True), confirmed()]
    callee = [offered(), answer("200 OK", sdp()), confirmed(), offered_again(), *again, offered(), *again, hung_up()]
    scene.place(Plan(caller, callee, packets=110)).expect_lossless(1)
    scene.expect_nothing_left()


def offered_again() -> str:
    """A re-INVITE whose SDP may name no address, so that nothing is read from it."""
    return '<recv request="INVITE" rrs="true"/>'


def test_early_media_is_heard_before_the_call_is_answered(scene):
    caller = [invite(), trying(), expect(183, note=["[field0]"]), expect(200, note=["[field0]"]), ack(), pause(1.5),
              bye()]
    callee = [offered(), answer("183 Session Progress", sdp()), pause(1), answer("200 OK", sdp()), confirmed(),
              hung_up()]
    calls = scene.place(Plan(caller, callee, packets=80))
    calls.expect_lossless(1)
    [call] = calls.by_id.values()
    at_answer = [note.heard for note in call.notes if note.role == "caller"][-1]
    assert at_answer >= 20, f"the caller had heard {at_answer} packets when the call was answered"
    scene.expect_nothing_left()


def test_a_cancelled_call_frees_its_session(scene):
    caller = [invite(), trying(), expect(180), pause(0.3), cancel()]
    callee = [offered(), answer("180 Ringing"), cancelled()]
    scene.place(Plan(caller, callee, packets=0))
    assert scene.relay.control.counters("nsess_created") == {"nsess_created": 1}
    scene.expect_nothing_left()


def test_a_refused_call_frees_its_session(scene):
    caller = [invite(), trying(), ringing(), *refused(486)]
    callee = [offered(), answer("180 Ringing"), answer("486 Busy Here"), confirmed()]
    scene.place(Plan(caller, callee, packets=0))
    assert scene.relay.control.counters("nsess_created") == {"nsess_created": 1}
    scene.expect_nothing_left()


@pytest.mark.parametrize("caller_host, callee_host", [("127.0.0.1", "::1"), ("::1", "127.0.0.1")])
def test_media_is_bridged_between_ipv4_and_ipv6(stage, caller_host, callee_host):
    scene = Scene(stage, stage.relay(external6="::1"), hosts=("127.0.0.1", "::1"), defines=["WITH_BRIDGE"])
    plan = Plan(simple_call(2), simple_callee(), packets=60, caller_host=caller_host, callee_host=callee_host)
    scene.place(plan).expect_lossless(1)
    scene.expect_nothing_left()


@pytest.mark.parametrize("kind", ["unix", "udp6"])
def test_kamailio_may_command_the_relay_over(stage, kind, tmp_path):
    socket = {"unix": f"unix:{tmp_path}/control.sock", "udp6": f"udp6:::1:{free_port(host='::1')}"}[kind]
    scene = Scene(stage, stage.relay(control=[socket]), [socket])
    scene.place(Plan(simple_call(2), simple_callee(), packets=60)).expect_lossless(1)
    scene.expect_nothing_left()
