"""Clients of the text protocol, one for each kind of socket. `ask` sends one command and gives the lines of its reply."""
from __future__ import annotations

import itertools
import socket
from typing import BinaryIO

PATIENCE_S = 2.0


class Datagrams:
    def __init__(self, host: str, port: int):
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect((host, port))
        self._cookies = (f"interop_{number}" for number in itertools.count())

    def raw(self, datagram: bytes) -> bytes:
        self.socket.send(datagram)
        return self.socket.recv(65536)

    def ask(self, command: str, lines: int = 1) -> list[str]:
        cookie = next(self._cookies)
        reply = self.raw(f"{cookie} {command}".encode()).decode()
        assert reply.startswith(f"{cookie} ") and reply.endswith("\n"), reply
        return reply.removeprefix(f"{cookie} ")[:-1].split("\n")

    def close(self) -> None:
        self.socket.close()


class OneCommandEach:
    """`unix:`: no newline is needed, and the end of the stream ends the reply."""

    def __init__(self, path: str):
        self._path = path

    def raw(self, request: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE_S)
            connection.connect(self._path)
            connection.sendall(request)
            reply = b""
            while piece := connection.recv(65536):
                reply += piece
            return reply

    def ask(self, command: str, lines: int = 1) -> list[str]:
        reply = self.raw(command.encode()).decode()
        assert reply.endswith("\n"), reply
        return reply[:-1].split("\n")

    def close(self) -> None:
        pass


class Lines:
    """A stream that stays open."""

    def __init__(self, out: BinaryIO, back: BinaryIO):
        self.out, self.back = out, back

    @classmethod
    def over(cls, connection: socket.socket) -> "Lines":
        connection.settimeout(PATIENCE_S)
        stream = connection.makefile("rwb", buffering=0)
        connection.close()   # the file holds it
        return cls(stream, stream)

    def send(self, data: bytes) -> None:
        self.out.write(data)
        self.out.flush()

    def line(self) -> str:
        """Empty at the end of the stream."""
        return self.back.readline().decode()

    def ask(self, command: str, lines: int = 1) -> list[str]:
        self.send(command.encode() + b"\n")
        replies = [self.line() for _ in range(lines)]
        assert all(reply.endswith("\n") for reply in replies), replies
        return [reply[:-1] for reply in replies]

    def close(self) -> None:
        for stream in {self.out, self.back}:
            try:
                stream.close()
            except BrokenPipeError:
                pass


def connect(family: socket.AddressFamily, address: object) -> Lines:
    connection = socket.socket(family)
    connection.settimeout(PATIENCE_S)
    connection.connect(address)
    return Lines.over(connection)
