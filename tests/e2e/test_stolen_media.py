"""RTPBleed: a third party sprays every media port, in the hope that the relay takes it for one of the parties."""
from __future__ import annotations

import pytest

from harness.calls import Calls
from harness.hostile import Heard, Report
from harness.process import wait_until
from harness.relay import DROP_IN, MILLRACE
from harness.sipp import simple_call, simple_callee
from scene import Plan, Scene

PORTS = (21000, 21099)
SPRAYED_A_SECOND = 5000  # each port is hit every 20 ms
CALLS = 10
PACKETS = 120
# From the moment that an endpoint hands over its first packet until the relay has surely seen it.
ON_ITS_WAY = 0.1
UNHEARD_AT_FIRST = 10
ELSEWHERE = "127.0.0.7"


@pytest.fixture(params=[DROP_IN, MILLRACE])
def scene(stage, request) -> Scene:
    return Scene(stage, stage.relay(program=request.param, ports=PORTS, settings=["latching.policy=safe"]))


def plan(media_host: str | None = None) -> Plan:
    return Plan(simple_call(4), simple_callee(), packets=PACKETS, count=CALLS, media_host=media_host)


def spraying(scene: Scene):
    return scene.stage.third_party(target=scene.stage.media_address, ports=PORTS, rate=SPRAYED_A_SECOND, kind="rtp")


def after_the_lock(calls: Calls, heard: list[Heard]) -> list[Heard]:
    """What the third party heard from a port of the relay when the party that uses this port had already spoken. RTP
    and RTCP are locked apart; endpoints send their first of both at the same time."""
    locked = {one.remote[1]: one.first_sent + ON_ITS_WAY for one in calls.in_use()}
    return [one for one in heard if one.when > locked[one.from_port & ~1]]


def test_a_probe_that_was_there_first_hears_nothing_once_the_parties_have_spoken(scene, record_property):
    probe = spraying(scene)
    calls = scene.place(plan())
    report = probe.finish()
    count(record_property, report)
    assert len(calls.streams()) == CALLS
    assert not after_the_lock(calls, report.heard)

    for caller, callee in calls.streams():
        both_spoke = max(caller[-1].first_sent, callee[-1].first_sent) + ON_ITS_WAY
        for one in (caller[-1], callee[-1]):
            assert not [when for when in one.foreign if when > both_spoke], "the probe could still inject"
            one.foreign.clear()
    calls.expect_lossless(CALLS, at_first=UNHEARD_AT_FIRST)


@pytest.mark.parametrize("media_host, at_first", [(None, 0), (ELSEWHERE, UNHEARD_AT_FIRST)],
                         ids=["source as signalled", "source elsewhere"])
def test_a_probe_that_comes_later_hears_nothing_and_disturbs_nothing(scene, media_host, at_first, record_property):
    calls = scene.start(plan(media_host))
    wait_until(lambda: calls.talking() == CALLS, "all parties to have spoken")
    probe = spraying(scene)
    scene.finish()
    report = probe.finish()
    count(record_property, report)
    assert not report.heard, report.summary({one.remote[1]: one.first_sent for one in calls.in_use()})
    calls.expect_lossless(CALLS, at_first=at_first)


def count(record_property, report: Report) -> None:
    assert report.sent > SPRAYED_A_SECOND / 2, "the probe hardly sprayed"
    record_property("packets sprayed", report.sent)
    record_property("packets the probe heard before the parties had spoken", len(report.heard))
