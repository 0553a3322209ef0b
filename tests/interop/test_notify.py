"""Time-outs reach whoever asked to hear of them. `-T 1` ends a session within two seconds."""
from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import Iterator

import pytest

TIMEOUT_S = 4.0


@contextmanager
def listening(family: socket.AddressFamily, address: object) -> Iterator[socket.socket]:
    with socket.socket(family) as server:
        server.settimeout(TIMEOUT_S)
        server.bind(address)
        server.listen()
        yield server


def lines_from(server: socket.socket, count: int) -> tuple[list[str], object]:
    """The first lines of the first connection, and who made it."""
    peer, address = server.accept()
    peer.settimeout(TIMEOUT_S)
    with peer, peer.makefile("r") as text:
        return [text.readline() for _ in range(count)], address


def test_tags_arrive_at_a_local_socket_over_one_connection(start, tmp_path) -> None:
    path = tmp_path / "notify"
    with listening(socket.AF_UNIX, str(path)) as server:
        client = start(["-l", "127.0.0.1", "-T", "1", "-n", f"unix:{path}"]).client
        # In every form: five words and two, six and two, the target without its prefix, and Kamailio's single word.
        client.ask(f"U c1 127.0.0.1 5000 f unix:{path} the%20tag+x%3b1")
        client.ask(f"U c2 127.0.0.1 5000 f t {path} two")
        client.ask(f"U c3 127.0.0.1 5000 f unix:{path};three")
        # And those that are not told: deleted, taken back, never asked.
        client.ask(f"U c4 127.0.0.1 5000 f {path} deleted")
        client.ask("D c4 f")
        client.ask(f"U c5 127.0.0.1 5000 f {path} taken-back")
        client.ask("U c5 127.0.0.1 5000 f")
        lines, _ = lines_from(server, 3)
        assert sorted(lines) == ["the tag x;1\n", "three\n", "two\n"]
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()
        assert client.ask("G nsess_timeout") == ["4"]


@pytest.mark.parametrize("target_host", ["127.0.0.1", "%%CC_SELF%%"])
def test_tcp_targets_are_named_or_the_sender_itself(start, target_host: str) -> None:
    with listening(socket.AF_INET, ("127.0.0.1", 0)) as server:
        target = f"tcp:{target_host}:{server.getsockname()[1]}"
        client = start(["-l", "127.0.0.1", "-T", "1", "-n", target]).client
        client.ask(f"U c1 127.0.0.1 5000 f t {target} T31.7")
        lines, address = lines_from(server, 1)
        assert lines == ["T31.7\n"]
        assert address[0] == "127.0.0.1"


def test_a_target_that_is_not_there_delays_no_command(start) -> None:
    with listening(socket.AF_INET, ("127.0.0.1", 0)) as server:
        gone = f"tcp:127.0.0.1:{server.getsockname()[1]}"
    client = start(["-l", "127.0.0.1", "-T", "1", "-n", gone]).client
    for number in range(20):
        client.ask(f"U c{number} 127.0.0.1 5000 f {gone} x{number}")
    client.socket.settimeout(0.2)
    while client.ask("G nsess_timeout") != ["20"]:
        pass
    assert client.ask("V") == ["20040107"]
