"""Small media peers for the API's tests: an RTP sender's packets and sockets that end with the test."""
from __future__ import annotations

import socket
import struct

TIMEOUT_S = 3.0


def udp(port: int = 0, host: str = "127.0.0.1") -> socket.socket:
    one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    one.bind((host, port))
    one.settimeout(TIMEOUT_S)
    return one


def udp_pair(host: str = "127.0.0.1") -> tuple[socket.socket, socket.socket]:
    """Two sockets on neighbouring ports, the first one even: RTP and RTCP."""
    while True:
        rtp = udp(0, host)
        port = rtp.getsockname()[1]
        if port % 2 == 0:
            try:
                return rtp, udp(port + 1, host)
            except OSError:
                pass
        rtp.close()


def rtp(sequence: int, ssrc: int = 0x1234, size: int = 160) -> bytes:
    return struct.pack("!BBHII", 0x80, 0, sequence & 0xFFFF, sequence * 160, ssrc) + bytes(size)


def sender_report(ssrc: int = 0x1234, ntp_seconds: int = 0x83AA7E80 + 1_700_000_000) -> bytes:
    return struct.pack("!BBHIIIIII", 0x80, 200, 6, ssrc, ntp_seconds & 0xFFFFFFFF, 0, 0, 1, 160)


def receiver_report(ssrc: int, source: int, last_sr: int, delay: int = 0, jitter: int = 80) -> bytes:
    return struct.pack("!BBHIIIIIII", 0x81, 201, 7, ssrc, source, 0, 0, jitter, last_sr, delay)


def tcp_listener(host: str = "127.0.0.1", backlog: int = 16) -> socket.socket:
    one = socket.create_server((host, 0), backlog=backlog)
    one.settimeout(TIMEOUT_S)
    return one


def receive_all(peer: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        more = peer.recv(size - len(data))
        if not more:
            break
        data += more
    return bytes(data)
