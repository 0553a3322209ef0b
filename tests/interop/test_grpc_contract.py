"""The contract's five calls from python3-grpcio, every status, and what is said to bad input."""
from __future__ import annotations

import time
import uuid

import grpc
import pytest

from api import messages
from media import udp

P, _ = messages()


def endpoint(address: str = "127.0.0.1", port: int = 0):
    return P.Endpoint(address=address, port=port)


def request(**fields):
    """A session that is well, but for what `fields` say; None takes a field away."""
    wanted = {"listen_endpoint": endpoint(), "forward_endpoint": endpoint(),
              "destination_endpoint": endpoint(port=4000), "protocol": P.UDP} | fields
    return P.CreateSessionRequest(**{key: value for key, value in wanted.items() if value is not None})


def status_of(call) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as refusal:
        call()
    return refusal.value.code(), refusal.value.details()


def test_a_session_lives_from_create_to_destroy(millrace):
    daemon = millrace()
    api = daemon.api()
    made = api.CreateSession(request(session_id="a1", timeout_seconds=30, labels={"tenant": "blue"}))
    assert made.session_id == "a1" and abs(made.created_at - time.time()) < 5
    assert made.listen_endpoint.port and made.forward_endpoint.port and made.rtcp and not made.note

    info = api.GetSessionStatus(P.GetSessionStatusRequest(session_id="a1")).session
    assert info.state == P.CONNECTING and info.protocol == P.UDP and info.timeout_seconds == 30
    assert (info.listen_endpoint, info.forward_endpoint) == (made.listen_endpoint, made.forward_endpoint)
    assert info.destination_endpoint == endpoint(port=4000) and info.last_activity_at == 0
    assert dict(info.labels) == {"tenant": "blue"} and info.owner == "anonymous"

    listed = api.ListSessions(P.ListSessionsRequest())
    assert [each.session_id for each in listed.sessions] == ["a1"] and listed.total_count == 1
    assert api.ListSessions(P.ListSessionsRequest(state_filter=P.ACTIVE)).total_count == 0
    assert api.ListSessions(P.ListSessionsRequest(labels={"tenant": "red"})).total_count == 0
    assert [call["id"] for call in daemon.mrctl("calls")["calls"]] == ["a1"]

    gone = api.DestroySession(P.DestroySessionRequest(session_id="a1"))
    assert gone.success and gone.HasField("final_stats")
    assert status_of(lambda: api.GetSessionStatus(P.GetSessionStatusRequest(session_id="a1")))[0] \
        == grpc.StatusCode.NOT_FOUND
    assert status_of(lambda: api.DestroySession(P.DestroySessionRequest(session_id="a1")))[0] \
        == grpc.StatusCode.NOT_FOUND


def test_an_empty_id_gets_a_uuid_and_one_in_use_is_refused(millrace):
    api = millrace().api()
    first = api.CreateSession(request()).session_id
    assert str(uuid.UUID(first)) == first
    code, text = status_of(lambda: api.CreateSession(request(session_id=first)))
    assert code == grpc.StatusCode.ALREADY_EXISTS and first in text


def test_a_repeated_request_gets_the_first_result(millrace):
    api = millrace().api()
    first = api.CreateSession(request(request_id="r1"))
    assert api.CreateSession(request(request_id="r1")) == first
    assert api.ListSessions(P.ListSessionsRequest()).total_count == 1
    code, text = status_of(lambda: api.CreateSession(request(request_id="r1", timeout_seconds=9)))
    assert code == grpc.StatusCode.INVALID_ARGUMENT and "request_id" in text


BAD = [  # name, fields, words that the answer has to have
    ("no listen endpoint", {"listen_endpoint": None}, ["listen_endpoint"]),
    ("no forward endpoint", {"forward_endpoint": None}, ["forward_endpoint"]),
    ("no destination", {"destination_endpoint": None}, ["destination_endpoint"]),
    ("no protocol", {"protocol": 0}, ["protocol", "UDP"]),
    ("a protocol nobody knows", {"protocol": 77}, ["protocol"]),
    ("a negative enum", {"protocol": -5}, ["protocol"]),
    ("no address", {"listen_endpoint": P.Endpoint(port=5)}, ["listen_endpoint.address"]),
    ("a host name", {"destination_endpoint": endpoint("media.example.com", 4000)},
     ["destination_endpoint.address", "IP address"]),
    ("a scope", {"destination_endpoint": endpoint("fe80::1%eth0", 4000)}, ["destination_endpoint.address", "scope"]),
    ("port 65536", {"destination_endpoint": endpoint(port=65536)}, ["destination_endpoint.port", "65535"]),
    ("a huge port", {"listen_endpoint": endpoint(port=2**32 - 1)}, ["listen_endpoint.port", "65535"]),
    ("destination port 0", {"destination_endpoint": endpoint(port=0)}, ["destination_endpoint.port"]),
    ("listen is forward", {"listen_endpoint": endpoint(port=7000), "forward_endpoint": endpoint(port=7000)},
     ["listen_endpoint", "forward_endpoint"]),
    ("destination is listen", {"listen_endpoint": endpoint(port=4000)}, ["destination_endpoint"]),
    ("destination is forward", {"forward_endpoint": endpoint(port=4000)}, ["destination_endpoint"]),
    ("an id of 10 KB", {"session_id": "x" * 10240}, ["session_id"]),
    ("control characters", {"session_id": "a\nb"}, ["session_id"]),
    ("families that differ", {"destination_endpoint": endpoint("2001:db8::1", 4000)}, ["destination_endpoint"]),
    ("framing without TCP", {"framing": 1}, ["framing"]),
    ("UDP to TCP without framing", {"forward_protocol": P.TCP}, ["framing"]),
    ("too many labels", {"labels": {str(i): "" for i in range(1000)}}, ["labels"]),
]


@pytest.mark.parametrize("name, fields, words", BAD, ids=[case[0] for case in BAD])
def test_bad_input_names_the_field(millrace, name, fields, words):
    daemon = millrace()
    api = daemon.api()
    code, text = status_of(lambda: api.CreateSession(request(**fields)))
    assert code == grpc.StatusCode.INVALID_ARGUMENT, text
    for word in words:
        assert word in text, text
    assert api.ListSessions(P.ListSessionsRequest()).total_count == 0
    assert daemon.mrctl("status")["ports_in_use"] == 0


def test_ids_that_are_not_utf_8_are_refused_by_name(millrace):
    daemon = millrace()
    raw = daemon.channel().unary_unary("/rtpproxy.RtpProxy/GetSessionStatus")
    code, text = status_of(lambda: raw(b"\x0a\x02\xff\xfe"))
    assert code == grpc.StatusCode.INVALID_ARGUMENT and "session_id" in text and "UTF-8" in text
    code, text = status_of(lambda: raw(b"\x0a\x7f"))
    assert code == grpc.StatusCode.INVALID_ARGUMENT


def test_ipv6_is_taken_with_and_without_brackets(millrace):
    api = millrace().api()
    for address in ("::1", "[::1]"):
        made = api.CreateSession(request(listen_endpoint=endpoint(address), forward_endpoint=endpoint(address),
                                         destination_endpoint=endpoint(address, 4000)))
        assert made.listen_endpoint.address == "::1"


def test_local_endpoints_that_cannot_be_had_are_named(millrace):
    daemon = millrace()
    api = daemon.api()
    code, text = status_of(lambda: api.CreateSession(request(forward_endpoint=endpoint("192.0.2.9"),
                                                             destination_endpoint=endpoint("192.0.2.10", 4000))))
    assert code == grpc.StatusCode.FAILED_PRECONDITION and "forward_endpoint" in text and "192.0.2.9" in text
    taken = udp()
    port = taken.getsockname()[1]
    code, text = status_of(lambda: api.CreateSession(request(listen_endpoint=endpoint(port=port))))
    assert code == grpc.StatusCode.FAILED_PRECONDITION and "listen_endpoint" in text and str(port) in text
    taken.close()
    assert daemon.mrctl("status")["ports_in_use"] == 0


def test_a_session_whose_rtcp_port_is_taken_runs_without_rtcp_and_says_so(millrace):
    api = millrace().api()
    neighbour = udp()
    port = neighbour.getsockname()[1] - 1
    made = api.CreateSession(request(session_id="n", listen_endpoint=endpoint(port=port)))
    assert not made.rtcp and "RTCP" in made.note and made.listen_endpoint.port == port
    assert not api.GetSessionStatus(P.GetSessionStatusRequest(session_id="n")).session.rtcp
    neighbour.close()


def test_limits_are_resource_exhausted(millrace):
    api = millrace("session.max_connections=2").api()
    for _ in range(2):
        api.CreateSession(request())
    assert status_of(lambda: api.CreateSession(request()))[0] == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_deadline_that_has_passed_makes_nothing(millrace):
    api = millrace().api()
    try:
        api.CreateSession(request(session_id="late"), timeout=0.000001)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert api.ListSessions(P.ListSessionsRequest()).total_count == 0


def test_a_message_that_is_too_long_is_refused(millrace):
    daemon = millrace("grpc.max_message=8KiB")
    api = daemon.api()
    code, _ = status_of(lambda: api.CreateSession(request(labels={"a": "x" * 20000})))
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_pages_hold_every_session_once(millrace):
    api = millrace().api()
    made = {each.session.session_id for each in api.CreateSessions(
        P.CreateSessionsRequest(sessions=[request() for _ in range(25)])).results}
    assert len(made) == 25
    seen, token, pages = [], "", 0
    while True:
        page = api.ListSessions(P.ListSessionsRequest(page_size=10, page_token=token))
        assert page.total_count == 25
        seen += [each.session_id for each in page.sessions]
        token, pages = page.next_page_token, pages + 1
        if not token:
            break
    assert pages == 3 and len(seen) == 25 and set(seen) == made
    assert status_of(lambda: api.ListSessions(P.ListSessionsRequest(page_token="nonsense")))[0] \
        == grpc.StatusCode.INVALID_ARGUMENT
    gone = api.DestroySessions(P.DestroySessionsRequest(session_ids=[*made, "none"]))
    assert [each.status.code for each in gone.results] == [0] * 25 + [grpc.StatusCode.NOT_FOUND.value[0]]


def test_items_of_a_batch_fail_by_themselves(millrace):
    api = millrace().api()
    results = api.CreateSessions(P.CreateSessionsRequest(
        sessions=[request(session_id="a"), request(session_id="a"), request(protocol=0), request(session_id="b")])).results
    assert [each.status.code for each in results] == [0, 6, 3, 0]
    assert "protocol" in results[2].status.message


def test_calls_of_the_text_protocol_can_be_listed_and_ended(millrace):
    daemon = millrace()
    api = daemon.api()
    import clients
    text = clients.Datagrams("127.0.0.1", daemon.text_port)
    assert text.ask("U c/1 127.0.0.1 4000 tag-a;1")[0].split()[0].isdigit()
    text.close()
    assert api.ListSessions(P.ListSessionsRequest()).total_count == 0
    listed = api.ListSessions(P.ListSessionsRequest(include_calls=True)).sessions
    assert [each.session_id for each in listed] == ["c/1/tag-a;1"] and listed[0].call
    assert api.GetSessionStatus(P.GetSessionStatusRequest(session_id="c/1/tag-a;1")).session.call
    assert api.DestroySession(P.DestroySessionRequest(session_id="c/1/tag-a;1")).success
    assert daemon.mrctl("calls")["calls"] == []


def test_update_server_info_interfaces_and_drain(millrace):
    daemon = millrace()
    api = daemon.api()
    api.CreateSession(request(session_id="u"))
    changed = api.UpdateSession(P.UpdateSessionRequest(
        session_id="u", destination_endpoint=endpoint(port=4444), timeout_seconds=77,
        limits=P.Limits(packets_per_second=50), stats_interval_seconds=3)).session
    assert changed.destination_endpoint.port == 4444 and changed.timeout_seconds == 77
    assert changed.limits.packets_per_second == 50 and changed.stats_interval_seconds == 3
    assert status_of(lambda: api.UpdateSession(P.UpdateSessionRequest(session_id="none")))[0] \
        == grpc.StatusCode.NOT_FOUND

    info = api.GetServerInfo(P.GetServerInfoRequest())
    assert info.program == "millrace" and info.version and info.sessions == 1 and info.instance_id
    engines = {each.name: each for each in info.engines}
    assert engines["socket"].on and not engines["xdp"].on and engines["xdp"].why_off
    interfaces = api.ListInterfaces(P.ListInterfacesRequest())
    assert "127.0.0.1" in interfaces.host_addresses
    assert interfaces.interfaces[0].addresses == ["127.0.0.1"] and interfaces.interfaces[0].first_port == 10000

    assert api.DrainServer(P.DrainServerRequest()).connections == 1
    assert status_of(lambda: api.CreateSession(request()))[0] == grpc.StatusCode.UNAVAILABLE
    assert api.GetServerInfo(P.GetServerInfoRequest()).draining
    api.DestroySession(P.DestroySessionRequest(session_id="u"))
    assert daemon.child.wait(timeout=5) == 0
