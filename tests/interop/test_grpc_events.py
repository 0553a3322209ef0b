"""What a reader of StreamSessionEvents gets: every lifecycle event once and in order, also after it comes back."""
from __future__ import annotations

import queue
import threading
from typing import Callable

import grpc
import pytest

from api import messages
from media import rtp, udp
from program import wait_for
from test_grpc_contract import endpoint, request, status_of

P, _ = messages()
CREATED, STATE, STATS, CLOSED, UPDATED = (P.SESSION_CREATED, P.SESSION_STATE_CHANGED, P.SESSION_STATS_UPDATE,
                                          P.SESSION_CLOSED, P.SESSION_UPDATED)


class Reader:
    """Reads a stream in the background; it is subscribed once the constructor returns."""

    def __init__(self, api, **fields):
        self.call = api.StreamSessionEvents(P.StreamSessionEventsRequest(**fields))
        self.metadata = dict(self.call.initial_metadata())
        self.events: queue.Queue = queue.Queue()
        self.error: grpc.RpcError | None = None
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        try:
            for event in self.call:
                self.events.put(event)
        except grpc.RpcError as error:
            self.error = error

    def next(self):
        return self.events.get(timeout=5)

    def until(self, wanted: Callable) -> list:
        seen = [self.next()]
        while not wanted(seen[-1]):
            seen.append(self.next())
        return seen

    def cancel(self) -> None:
        self.call.cancel()
        self.thread.join(timeout=5)


def test_a_life_is_told_in_order(millrace):
    api = millrace().api()
    reader = Reader(api)
    far, client = udp(), udp()
    made = api.CreateSession(request(session_id="e", destination_endpoint=endpoint(port=far.getsockname()[1])))
    client.sendto(rtp(0), ("127.0.0.1", made.listen_endpoint.port))
    far.recv(2000)
    events = reader.until(lambda event: event.event_type == STATE)
    api.UpdateSession(P.UpdateSessionRequest(session_id="e", timeout_seconds=9))
    api.DestroySession(P.DestroySessionRequest(session_id="e"))
    events += reader.until(lambda event: event.event_type == CLOSED)
    assert [event.event_type for event in events] == [CREATED, STATE, UPDATED, CLOSED]
    assert [event.session.state for event in events] == [P.CONNECTING, P.ACTIVE, P.ACTIVE, P.CLOSED]
    sequences = [event.sequence for event in events]
    assert sequences == sorted(set(sequences))
    assert events[-1].end_reason == P.DESTROYED and events[-1].session.stats.packets_received == 1
    assert all(event.session.session_id == "e" and event.description and event.timestamp for event in events)
    assert {event.instance_id for event in events} == {reader.metadata["millrace-instance-id"]}
    reader.cancel()
    far.close()
    client.close()


def test_a_timeout_says_why(millrace):
    api = millrace().api()
    reader = Reader(api)
    api.CreateSession(request(session_id="idle", timeout_seconds=1))
    last = reader.until(lambda event: event.event_type == CLOSED)[-1]
    assert last.end_reason == P.IDLE_TIMEOUT and "media" in last.description
    reader.cancel()


def test_statistics_come_in_their_interval(millrace):
    api = millrace().api()
    reader = Reader(api)
    api.CreateSession(request(session_id="s", stats_interval_seconds=1))
    api.CreateSession(request(session_id="quiet"))
    updates = [event for event in reader.until(lambda event: event.event_type == STATS)
               + reader.until(lambda event: event.event_type == STATS) if event.event_type == STATS]
    assert {event.session.session_id for event in updates} == {"s"}
    reader.cancel()


def test_filters_choose(millrace):
    daemon = millrace()
    api = daemon.api()
    by_id = Reader(api, session_ids=["b"])
    by_label = Reader(api, labels={"tenant": "x"})
    by_type = Reader(api, types=[CLOSED])
    everything = Reader(api, include_calls=True)
    import clients
    text = clients.Datagrams("127.0.0.1", daemon.text_port)
    text.ask("U call-9 127.0.0.1 4000 tag-a")
    api.CreateSession(request(session_id="a", labels={"tenant": "x"}))
    api.CreateSession(request(session_id="b"))
    for each in ("a", "b"):
        api.DestroySession(P.DestroySessionRequest(session_id=each))
    text.ask("D call-9 tag-a")
    text.close()
    assert [by_id.next().session.session_id for _ in range(2)] == ["b", "b"]
    assert [by_label.next().session.session_id for _ in range(2)] == ["a", "a"]
    assert [by_type.next().session.session_id for _ in range(2)] == ["a", "b"]
    names = [event.session.session_id for event in everything.until(
        lambda event: event.session.call and event.event_type == CLOSED)]
    assert names[0] == "call-9/tag-a" and names[-1] == "call-9/tag-a" and names.count("a") == 2
    for reader in (by_id, by_label, by_type, everything):
        reader.cancel()


def test_a_reader_that_comes_back_misses_nothing(millrace):
    api = millrace().api()
    reader = Reader(api)
    api.CreateSession(request(session_id="one"))
    last = reader.next()
    reader.cancel()
    for each in ("two", "three"):
        api.CreateSession(request(session_id=each))
    again = Reader(api, resume_after=last.sequence, instance_id=last.instance_id)
    api.CreateSession(request(session_id="four"))
    events = [again.next() for _ in range(3)]
    assert [event.session.session_id for event in events] == ["two", "three", "four"]
    assert [event.sequence for event in events] == [last.sequence + 1, last.sequence + 2, last.sequence + 3]
    again.cancel()


def refused_resume(api, **fields) -> grpc.StatusCode:
    return status_of(lambda: list(api.StreamSessionEvents(P.StreamSessionEventsRequest(**fields), timeout=5)))[0]


def test_a_resume_that_cannot_be_right_is_refused(millrace):
    api = millrace("events.history=64").api()
    reader = Reader(api)
    instance = reader.metadata["millrace-instance-id"]
    for _ in range(40):   # 80 events
        api.DestroySession(P.DestroySessionRequest(session_id=api.CreateSession(request()).session_id))
    reader.cancel()
    assert refused_resume(api, resume_after=1, instance_id=instance) == grpc.StatusCode.OUT_OF_RANGE
    assert refused_resume(api, resume_after=10**9, instance_id=instance) == grpc.StatusCode.OUT_OF_RANGE
    assert refused_resume(api, resume_after=70, instance_id="another") == grpc.StatusCode.FAILED_PRECONDITION
    assert refused_resume(api, resume_after=70) == grpc.StatusCode.INVALID_ARGUMENT


def test_a_slow_reader_loses_its_stream_and_nobody_else_does(millrace):
    daemon = millrace("events.queue=16")
    api = daemon.api()
    # A reader whose window is full: it has not taken a byte, and its flow-control window is small.
    slow_channel = daemon.channel([("grpc.http2.lookahead_bytes", 1024), ("grpc.http2.bdp_probe", 0),
                                   ("grpc.use_local_subchannel_pool", 1)])
    slow = daemon.api(slow_channel).StreamSessionEvents(P.StreamSessionEventsRequest())
    slow.initial_metadata()
    quick = Reader(api)
    labels = {f"label-{number}": "x" * 200 for number in range(8)}
    rounds = 600
    for _ in range(rounds):
        api.DestroySession(P.DestroySessionRequest(session_id=api.CreateSession(request(labels=labels)).session_id))
    seen = [quick.next().sequence for _ in range(2 * rounds)]
    assert seen == sorted(set(seen)) and len(seen) == 2 * rounds
    with pytest.raises(grpc.RpcError) as end:
        for _event in slow:
            pass
    assert end.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    quick.cancel()


def test_readers_that_die_leave_nothing_behind(millrace):
    daemon = millrace()
    api = daemon.api()
    for _ in range(50):
        reader = api.StreamSessionEvents(P.StreamSessionEventsRequest())
        reader.initial_metadata()
        reader.cancel()
    api.DestroySession(P.DestroySessionRequest(session_id=api.CreateSession(request()).session_id))
    wait_for(lambda: api.GetServerInfo(P.GetServerInfoRequest()).event_streams == 0 or None, "the streams to be gone")


def test_a_drained_node_tells_the_last_event_and_ends_streams(millrace):
    daemon = millrace()
    api = daemon.api()
    api.CreateSession(request(session_id="last"))
    reader = Reader(api)
    api.DrainServer(P.DrainServerRequest())
    api.DestroySession(P.DestroySessionRequest(session_id="last"))
    assert reader.until(lambda event: event.event_type == CLOSED)[-1].session.session_id == "last"
    reader.thread.join(timeout=5)
    assert reader.error is not None and reader.error.code() == grpc.StatusCode.UNAVAILABLE
    assert daemon.child.wait(timeout=5) == 0
