"""Media through sessions of the gRPC API: UDP and RTCP both ways, TCP with all its ends, statistics with meaning."""
from __future__ import annotations

import contextlib
import hashlib
import random
import socket
import threading
import time

import pytest

from api import messages
from media import receive_all, receiver_report, rtp, sender_report, tcp_listener, udp, udp_pair
from program import wait_for
from test_grpc_contract import endpoint, request

P, _ = messages()


def status(api, session_id: str):
    return api.GetSessionStatus(P.GetSessionStatusRequest(session_id=session_id)).session


def until(api, session_id: str, state: int):
    def reached():
        info = status(api, session_id)
        return info if info.state == state else None
    return wait_for(reached, f"state {state}")


def tcp_session(api, session_id: str, port: int, **fields):
    return api.CreateSession(request(session_id=session_id, protocol=P.TCP,
                                     destination_endpoint=endpoint(port=port), **fields))


def connect(made) -> socket.socket:
    peer = socket.create_connection((made.listen_endpoint.address, made.listen_endpoint.port), timeout=5)
    peer.settimeout(5)
    return peer


def test_udp_and_rtcp_flow_both_ways(millrace):
    api = millrace().api()
    client, client_rtcp = udp_pair()
    far, far_rtcp = udp_pair()
    made = api.CreateSession(request(session_id="m", destination_endpoint=endpoint(port=far.getsockname()[1])))
    listen = ("127.0.0.1", made.listen_endpoint.port)
    forward = ("127.0.0.1", made.forward_endpoint.port)

    for number in range(50):
        client.sendto(rtp(number), listen)
        data, source = far.recvfrom(2000)
        assert data == rtp(number) and source == forward
        far.sendto(rtp(number, ssrc=9), forward)
        data, source = client.recvfrom(2000)
        assert data == rtp(number, ssrc=9) and source == listen

    client_rtcp.sendto(sender_report(), (listen[0], listen[1] + 1))
    assert far_rtcp.recvfrom(2000) == (sender_report(), (forward[0], forward[1] + 1))
    middle = (int.from_bytes(sender_report()[8:16], "big") >> 16) & 0xFFFFFFFF
    report = receiver_report(9, 0x1234, middle)
    far_rtcp.sendto(report, (forward[0], forward[1] + 1))
    assert client_rtcp.recvfrom(2000) == (report, (listen[0], listen[1] + 1))

    info = until(api, "m", P.ACTIVE)
    stats = info.stats
    assert info.client_endpoint.port == client.getsockname()[1]
    assert abs(info.last_activity_at - time.time()) < 5
    assert (stats.packets_received, stats.packets_sent, stats.packets_lost) == (102, 102, 0)
    assert stats.bytes_received == stats.bytes_sent == 100 * 172 + len(sender_report()) + len(report)
    assert (stats.from_client.packets_received, stats.from_destination.packets_received) == (51, 51)
    assert 0 < stats.avg_latency_ms < 100 and stats.packet_loss_rate == 0
    assert stats.from_destination.round_trip_ms > 0 and stats.round_trip_ms > 0
    gone = api.DestroySession(P.DestroySessionRequest(session_id="m"))
    assert gone.final_stats.packets_received == 102
    for one in (client, client_rtcp, far, far_rtcp):
        one.close()


def test_a_session_may_listen_everywhere(millrace):
    api = millrace().api()
    far, client = udp(), udp()
    made = api.CreateSession(request(session_id="w", listen_endpoint=endpoint("0.0.0.0"),
                                     destination_endpoint=endpoint(port=far.getsockname()[1])))
    client.sendto(rtp(0), ("127.0.0.1", made.listen_endpoint.port))
    data, source = far.recvfrom(2000)
    assert data == rtp(0) and source == ("127.0.0.1", made.forward_endpoint.port)
    far.sendto(rtp(0, ssrc=9), source)
    assert client.recv(2000) == rtp(0, ssrc=9)
    far.close()
    client.close()


def test_losses_on_the_way_and_losses_of_ours_are_told_apart(millrace):
    api = millrace().api()
    client, far = udp(), udp()
    made = api.CreateSession(request(session_id="l", destination_endpoint=endpoint(port=far.getsockname()[1]),
                                     limits=P.Limits(packets_per_second=10, burst_ms=1000)))
    listen = ("127.0.0.1", made.listen_endpoint.port)
    for number in [*range(8), *range(12, 40)]:   # 4 never reach us, 10 and a few are within the limit
        client.sendto(rtp(number), listen)
    info = wait_for(lambda: (i := status(api, "l")).stats.packets_received == 36 and i or None, "36 packets")
    stats = info.stats
    assert stats.network_packets_lost == 4 and stats.network_loss_rate == pytest.approx(10)
    assert stats.packets_lost == stats.from_client.drops["limit"] >= 20
    assert stats.packets_lost + stats.packets_sent == 36
    assert stats.packet_loss_rate == pytest.approx(100 * stats.packets_lost / 36)
    client.close()
    far.close()


def test_silence_ends_a_session(millrace):
    api = millrace().api()
    api.CreateSession(request(session_id="s", timeout_seconds=1))
    api.CreateSession(request(session_id="for-ever", timeout_seconds=0))

    def gone():
        listed = [each.session_id for each in api.ListSessions(P.ListSessionsRequest()).sessions]
        return listed == ["for-ever"] or None
    wait_for(gone, "the end of the silent session")


def exchange(left: socket.socket, right: socket.socket, size: int, seed: int) -> None:
    """`size` random bytes from each to the other at once; both ways arrive whole."""
    block = random.Random(seed).randbytes(1 << 20)
    sums = {}

    def send(peer: socket.socket, name: str) -> None:
        digest, left_over = hashlib.sha256(), size
        while left_over:
            part = block[:min(left_over, len(block))]
            peer.sendall(part)
            digest.update(part)
            left_over -= len(part)
        sums[f"sent by {name}"] = digest.hexdigest()

    def receive(peer: socket.socket, name: str) -> None:
        digest, left_over = hashlib.sha256(), size
        while left_over:
            part = peer.recv(min(left_over, 1 << 20))
            assert part, f"{name}: the stream ended {left_over} bytes early"
            digest.update(part)
            left_over -= len(part)
        sums[f"received by {name}"] = digest.hexdigest()

    threads = [threading.Thread(target=work, args=(peer, name)) for peer, name in ((left, "left"), (right, "right"))
               for work in (send, receive)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sums["received by right"] == sums["sent by left"] and sums["received by left"] == sums["sent by right"]


def test_tcp_carries_a_gigabyte_both_ways_at_once(millrace):
    api = millrace().api()
    server = tcp_listener()
    made = tcp_session(api, "t", server.getsockname()[1])
    client = connect(made)
    far, source = server.accept()
    assert source == ("127.0.0.1", made.forward_endpoint.port)
    client.settimeout(60)
    far.settimeout(60)
    size = 1 << 29   # each way
    exchange(client, far, size, seed=1)
    stats = wait_for(lambda: (s := status(api, "t").stats).bytes_sent == 2 * size and s or None, "every byte counted")
    assert stats.from_client.bytes_received == stats.from_destination.bytes_received == size
    assert stats.avg_latency_ms > 0 and stats.packets_lost == 0
    for one in (client, far, server):
        one.close()


def test_half_close_passes_and_the_next_client_is_served(millrace):
    api = millrace().api()
    server = tcp_listener()
    made = tcp_session(api, "h", server.getsockname()[1])
    for _ in range(3):
        client = connect(made)
        far, _source = server.accept()
        far.settimeout(5)
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        assert receive_all(far, 100) == b"question"   # and then the end
        far.sendall(b"answer")
        assert receive_all(client, 6) == b"answer"
        far.close()
        assert client.recv(10) == b""
        client.close()
        until(api, "h", P.CONNECTING)
    server.close()


def test_a_destination_that_refuses_is_an_error_with_its_reason(millrace):
    api = millrace().api()
    closed = tcp_listener()
    port = closed.getsockname()[1]
    closed.close()
    made = tcp_session(api, "r", port)
    with contextlib.suppress(ConnectionResetError):   # which may come before the client knows that it is connected
        with connect(made) as client:
            assert client.recv(10) == b""
    info = until(api, "r", P.ERROR)
    assert "refused" in info.error_message and str(port) in info.error_message
    again = socket.create_server(("127.0.0.1", port))   # it comes up: the session lives and serves the next client
    client = connect(made)
    again.settimeout(5)
    far, _source = again.accept()
    client.sendall(b"x")
    assert far.recv(1) == b"x"
    assert until(api, "r", P.ACTIVE).error_message == ""
    for one in (client, far, again):
        one.close()


def test_a_peer_that_never_reads_costs_bounded_memory(millrace):
    daemon = millrace()
    api = daemon.api()
    server = tcp_listener()
    made = tcp_session(api, "b", server.getsockname()[1])
    client = connect(made)
    far, _source = server.accept()
    client.setblocking(False)
    sent, block = 0, bytes(1 << 16)
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < 0.5:
        try:
            sent += client.send(block)
            quiet_since = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    resident = int(next(line for line in open(f"/proc/{daemon.child.pid}/status") if line.startswith("VmRSS")).split()[1])
    assert resident < 200_000, f"{resident} KiB resident"
    far.settimeout(10)
    client.setblocking(True)
    assert len(receive_all(far, sent)) == sent   # nothing of it was lost
    for one in (client, far, server):
        one.close()


def test_a_thousand_tcp_sessions_at_once(millrace):
    daemon = millrace()
    api = daemon.api()
    server = tcp_listener(backlog=2000)
    port = server.getsockname()[1]
    made = [each.session for each in api.CreateSessions(P.CreateSessionsRequest(
        sessions=[request(protocol=P.TCP, destination_endpoint=endpoint(port=port)) for _ in range(1000)])).results]
    assert len({each.listen_endpoint.port for each in made}) == 1000
    peers = []
    for number, each in enumerate(made):
        client = connect(each)
        far, _source = server.accept()
        peers.append((number, client, far))
    for number, client, far in peers:
        client.sendall(b"to %d" % number)
        far.sendall(b"from %d" % number)
    for number, client, far in peers:
        far.settimeout(5)
        assert receive_all(far, len(b"to %d" % number)) == b"to %d" % number
        assert receive_all(client, len(b"from %d" % number)) == b"from %d" % number
    for _number, client, far in peers:
        client.close()
        far.close()
    api.DestroySessions(P.DestroySessionsRequest(session_ids=[each.session_id for each in made]))
    wait_for(lambda: daemon.mrctl("status")["ports_in_use"] == 0 or None, "every port to be given back")
    server.close()


def frame(packet: bytes) -> bytes:
    return len(packet).to_bytes(2, "big") + packet


def test_framed_tcp_and_udp_work_together(millrace):
    api = millrace().api()
    far, far_rtcp = udp_pair()
    made = api.CreateSession(request(session_id="f", protocol=P.TCP, forward_protocol=P.UDP, framing=P.FRAMING_RFC4571,
                                     destination_endpoint=endpoint(port=far.getsockname()[1])))
    client = connect(made)
    stream = frame(rtp(1)) + frame(rtp(2)) + frame(sender_report())
    for at in range(0, len(stream), 7):   # frames arrive in pieces
        client.sendall(stream[at:at + 7])
    forward = ("127.0.0.1", made.forward_endpoint.port)
    assert far.recvfrom(2000) == (rtp(1), forward) and far.recvfrom(2000) == (rtp(2), forward)
    assert far_rtcp.recvfrom(2000)[0] == sender_report()
    far.sendto(rtp(7, ssrc=5), forward)
    far_rtcp.sendto(sender_report(5), (forward[0], forward[1] + 1))
    expected = [frame(rtp(7, ssrc=5)), frame(sender_report(5))]
    got = receive_all(client, sum(map(len, expected)))
    assert got in (expected[0] + expected[1], expected[1] + expected[0])
    stats = status(api, "f").stats
    assert stats.from_client.packets_received == 3 and stats.from_destination.packets_received == 2
    for one in (client, far, far_rtcp):
        one.close()


def test_udp_clients_reach_a_framed_tcp_destination(millrace):
    api = millrace().api()
    server = tcp_listener()
    made = api.CreateSession(request(session_id="g", protocol=P.UDP, forward_protocol=P.TCP, framing=P.FRAMING_RFC4571,
                                     destination_endpoint=endpoint(port=server.getsockname()[1])))
    client = udp()
    listen = ("127.0.0.1", made.listen_endpoint.port)
    client.sendto(rtp(0), listen)   # opens the way; may be dropped while the stream is not there
    far, _source = server.accept()
    far.settimeout(5)
    until(api, "g", P.ACTIVE)
    wait_for(lambda: client.sendto(rtp(1), listen) and status(api, "g").stats.from_client.packets_sent or None, "a frame")
    assert receive_all(far, 2 + 172)[2:] in (rtp(0), rtp(1))
    far.sendall(frame(rtp(3, ssrc=8)))
    assert client.recv(2000) == rtp(3, ssrc=8)
    for one in (client, far, server):
        one.close()
