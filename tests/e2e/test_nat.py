"""Caller and callee behind a NAT each, both of them letting in only answers. Audio arrives both ways."""
from __future__ import annotations

import itertools

import pytest

from harness import netns
from harness.calls import Calls
from harness.process import wait_until
from harness.relay import DROP_IN, MILLRACE
from harness.sipp import simple_call, simple_callee

SIP = 5060
PACKETS = 120
# A NAT lets nothing in before its telephone has sent. What the other party says until then cannot arrive.
UNHEARD_AT_FIRST = 10
numbers = itertools.count()


@pytest.fixture(scope="module", autouse=True)
def namespaces() -> None:
    if (reason := netns.unavailable()) is not None:
        pytest.skip(reason)


@pytest.mark.parametrize("random_ports", [False, True], ids=["ports kept", "ports changed"])
@pytest.mark.parametrize("program", [DROP_IN, MILLRACE])
def test_audio_arrives_both_ways_when_both_parties_are_behind_nat(stage, program, random_ports, record_property):
    internet = netns.Internet(next(numbers), random_ports)
    stage.defer(internet.remove)
    calls = place_call(stage, internet, program)
    [(caller, callee)] = calls.streams()
    record_property("packets that the caller could not hear at first", PACKETS - caller[-1].heard(callee[-1]))
    record_property("packets that the callee could not hear at first", PACKETS - callee[-1].heard(caller[-1]))
    calls.expect_lossless(1, at_first=UNHEARD_AT_FIRST)


def place_call(stage, internet: netns.Internet, program: str) -> Calls:
    relay = stage.relay(program=program, address=netns.SERVER, netns=internet.public)
    with netns.inside(internet.public):
        relay.wait_ready()
        kamailio = stage.kamailio([relay.socket], hosts=[netns.SERVER], port=SIP, netns=internet.public).wait_ready()
    calls = Calls(stage.hub, PACKETS)
    with netns.inside(internet.caller):
        caller_ports = calls.endpoints("caller", netns.CALLER, 1)
    with netns.inside(internet.callee):
        callee_ports = calls.endpoints("callee", netns.CALLEE, 1)

    server = kamailio.server()
    stage.register_callee(server, netns.CALLEE, SIP, internet.callee)
    callee = stage.sipp("callee", simple_callee(), host=netns.CALLEE, server=server, port=SIP, ports=callee_ports,
                        netns=internet.callee)
    calls.follow(stage.folder / "caller.media", callee.media_log)
    caller = stage.sipp("caller", simple_call(3), host=netns.CALLER, server=server, port=SIP, ports=caller_ports,
                        netns=internet.caller)
    caller.succeed()
    callee.succeed()
    wait_until(calls.finished, "all media to be sent", 5)
    return calls
