"""Many calls at once, and a relay that dies under them."""
from __future__ import annotations

from harness.process import wait_until
from harness.sipp import simple_call, simple_callee
from scene import Plan, Scene

CALLS = 200
CALLS_A_SECOND = 20


def test_two_hundred_calls_at_twenty_a_second_lose_not_a_packet(stage, record_property):
    scene = Scene(stage, stage.relay())
    calls = scene.place(Plan(simple_call(4), simple_callee(), packets=120, count=CALLS, rate=CALLS_A_SECOND))
    calls.expect_lossless(CALLS)
    sent = sum(one.sent for one in calls.in_use())
    record_property("packets relayed without loss", sent)
    counters = scene.relay.control.counters("nsess_created", "nsess_timeout", "npkts_relayed")
    assert counters["nsess_created"] == CALLS
    assert counters["nsess_timeout"] == 0
    assert counters["npkts_relayed"] >= sent
    scene.expect_nothing_left()


def test_new_calls_go_to_the_other_node_when_one_is_killed(stage, record_property):
    count = 160
    first, second = stage.relay(name="first").wait_ready(), stage.relay(name="second", ports=(30000, 32000))
    scene = Scene(stage, second, [first.socket, second.socket])
    calls = scene.start(Plan(simple_call(2.5), simple_callee(), packets=60, count=count, rate=CALLS_A_SECOND))
    wait_until(lambda: first.control.active_sessions() >= 10 and second.control.active_sessions() >= 10,
               "both nodes to carry calls")
    before = set(calls.by_id)
    first.process.kill()
    scene.finish()

    # Kamailio notices with the next call it would have sent there; calls in the middle of their set-up may be hit.
    wait_until(calls.finished, "all media to be sent", 20)
    fresh = sorted(set(calls.by_id) - before, key=lambda call_id: int(call_id.split("-")[1]))[2:]
    assert len(fresh) >= count / 3, f"only {len(fresh)} calls were new after the node had died"
    hurt = [fault for fault in calls.losses() if fault.split(",")[0] in set(fresh)]
    assert not hurt, "\n".join(hurt[:20])
    record_property("calls on the surviving node after the crash", len(fresh))
    scene.expect_nothing_left()
