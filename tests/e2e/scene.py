"""The usual scene of a test: a relay, Kamailio, and a callee that has registered."""
from __future__ import annotations

import dataclasses
from typing import Sequence

from harness.calls import Calls
from harness.process import free_port, wait_until
from harness.relay import Relay
from harness.sipp import Sipp

HOST = "127.0.0.1"


@dataclasses.dataclass(frozen=True)
class Plan:
    """Which calls to place. `caller_ports`, `callee_ports`: the media stream of each port that a party uses."""

    caller: Sequence[str]
    callee: Sequence[str]
    packets: int
    count: int = 1
    rate: int = 10
    caller_host: str = HOST
    callee_host: str = HOST
    caller_ports: Sequence[int] = (0,)
    callee_ports: Sequence[int] = (0,)
    media_host: str | None = None  # where the endpoints really are, when not where the SDP says


class Scene:
    def __init__(self, stage, relay: Relay, relay_sockets: Sequence[str] = (), **kamailio):
        self.stage, self.relay = stage, relay
        relay.wait_ready()
        self.kamailio = stage.kamailio(relay_sockets or [relay.socket], **kamailio).wait_ready()
        self.running: list[Sipp] = []

    def start(self, plan: Plan) -> Calls:
        """The callee registers and waits, the caller calls."""
        calls = Calls(self.stage.hub, plan.packets)
        caller_table = calls.endpoints("caller", plan.media_host or plan.caller_host, plan.count, plan.caller_ports)
        callee_table = calls.endpoints("callee", plan.media_host or plan.callee_host, plan.count, plan.callee_ports)
        port = free_port(host=plan.callee_host)
        server = self.kamailio.server(plan.callee_host)
        self.stage.register_callee(server, plan.callee_host, port)
        callee = self.stage.sipp("callee", plan.callee, host=plan.callee_host, server=server, port=port,
                                 ports=callee_table, calls=plan.count)
        calls.follow(self.stage.folder / "caller.media", callee.media_log)
        caller = self.stage.sipp("caller", plan.caller, host=plan.caller_host,
                                 server=self.kamailio.server(plan.caller_host), ports=caller_table, calls=plan.count,
                                 rate=plan.rate)
        self.running = [caller, callee]
        return calls

    def finish(self) -> None:
        """Both sipps end by themselves, content with every call."""
        for one in self.running:
            one.succeed()

    def place(self, plan: Plan) -> Calls:
        calls = self.start(plan)
        self.finish()
        return calls

    def expect_nothing_left(self) -> None:
        wait_until(lambda: self.relay.control.active_sessions() == 0, "the relay to have no session left", 3)
