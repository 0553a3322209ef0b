"""Sessions of the gRPC API between two networks: in through one interface, out through the other, chosen by address."""
from __future__ import annotations

import itertools
import re
import socket

import pytest

from harness import api, netns
from harness.process import Process, programs, wait_until

CLIENT, INSIDE, OUTSIDE, FAR = "10.7.1.2", "10.7.1.1", "10.7.2.1", "10.7.2.2"
numbers = itertools.count()


@pytest.fixture(scope="module", autouse=True)
def namespaces() -> None:
    if (reason := netns.unavailable()) is not None:
        pytest.skip(reason)


@pytest.fixture
def networks(stage):
    two = netns.TwoNetworks(next(numbers))
    stage.defer(two.remove)
    argv = [str(programs() / "millrace")]
    for setting in (f"media.address={INSIDE}", "grpc.listen=127.0.0.1:0", "rtpproxy.listen=udp:127.0.0.1:0",
                    f"admin.socket={stage.folder / 'admin'}"):
        argv += ["--set", setting]
    daemon = Process("millrace", argv, stage.folder, two.node)
    stage.defer(daemon.stop)
    two.api = wait_until(lambda: re.search(r"grpc:(\S+:\d+)", daemon.log()), "the daemon to be ready")[1]
    return two


def create(networks, protocol: str, port: int) -> tuple[tuple[str, int], tuple[str, int], str]:
    """(where to send, where it is sent from, the id)"""
    made = api.call(networks.node, networks.api, "CreateSession", listen_endpoint={"address": INSIDE},
                    forward_endpoint={"address": OUTSIDE}, destination_endpoint={"address": FAR, "port": port},
                    protocol=protocol)
    assert made["rtcp"] == (protocol == "UDP")
    listen, forward = made["listen_endpoint"], made["forward_endpoint"]
    return (listen["address"], listen["port"]), (forward["address"], forward["port"]), made["session_id"]


def udp(namespace: str, host: str, port: int) -> socket.socket:
    with netns.inside(namespace):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind((host, port))
    one.settimeout(5)
    return one


def test_udp_and_rtcp_cross_from_one_network_to_the_other_and_back(networks):
    far, far_rtcp = udp(networks.far, FAR, 4000), udp(networks.far, FAR, 4001)
    client, client_rtcp = udp(networks.client, CLIENT, 5000), udp(networks.client, CLIENT, 5001)
    listen, forward, session_id = create(networks, "UDP", 4000)
    for near, distant, above in ((client, far, 0), (client_rtcp, far_rtcp, 1)):
        near.sendto(b"\x80\xc8 there" if above else b"\x80\x00 there", (listen[0], listen[1] + above))
        _, source = distant.recvfrom(2000)
        assert source == (forward[0], forward[1] + above)
        distant.sendto(b"\x80\xc8 back" if above else b"\x80\x00 back", source)
        _, source = near.recvfrom(2000)
        assert source == (listen[0], listen[1] + above)
    stats = api.call(networks.node, networks.api, "DestroySession", session_id=session_id)["final_stats"]
    assert stats["packets_received"] == stats["packets_sent"] == "4"
    for one in (far, far_rtcp, client, client_rtcp):
        one.close()


def test_tcp_crosses_from_one_network_to_the_other_and_back(networks):
    with netns.inside(networks.far):
        server = socket.create_server((FAR, 4000))
    server.settimeout(5)
    listen, forward, _ = create(networks, "TCP", 4000)
    with netns.inside(networks.client):
        client = socket.create_connection(listen, timeout=5)
    far, source = server.accept()
    far.settimeout(5)
    assert source == forward
    client.sendall(b"there")
    assert far.recv(100) == b"there"
    far.sendall(b"back")
    assert client.recv(100) == b"back"
    for one in (client, far, server):
        one.close()
