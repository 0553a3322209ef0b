"""`millrace` with its gRPC API under test, and clients that nobody here wrote: python3-grpcio with messages that protoc
made of the project's proto file, and grpc-js through server reflection alone."""
from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Iterator, Sequence

import grpc

from program import ROOT, wait_for

BIN = Path(os.environ.get("MILLRACE_BIN", ROOT / "build" / "release" / "bin")).resolve()
PROTO = ROOT / "src" / "control" / "grpc" / "rtpproxy.proto"
NODE = Path(__file__).parent / "node"


@cache
def messages():
    """The generated modules: (messages, services). Generated anew for each test run, into a folder that goes with it."""
    folder = tempfile.mkdtemp(prefix="millrace-protos-")
    plugin = shutil.which("grpc_python_plugin")
    subprocess.run(["protoc", f"-I{PROTO.parent}", f"--python_out={folder}", f"--grpc_out={folder}",
                    f"--plugin=protoc-gen-grpc={plugin}", str(PROTO)], check=True)
    sys.path.insert(0, folder)
    import rtpproxy_pb2
    import rtpproxy_pb2_grpc
    shutil.rmtree(folder)
    return rtpproxy_pb2, rtpproxy_pb2_grpc


class Millrace:
    """One daemon on loopback with control sockets of its own; `settings` are --set's."""

    def __init__(self, folder: Path, settings: Sequence[str] = (), media: str = "127.0.0.1",
                 listen: str = "127.0.0.1:0", argv: Sequence[str] = (), config: Path | None = None):
        self.folder = folder
        self.log = folder / "millrace.log"
        self.admin = folder / "admin"
        sets = [f"admin.socket={self.admin}", "rtpproxy.listen=[\"udp:127.0.0.1:0\"]", f"media.address={media}",
                f"grpc.listen={listen}", *settings]
        command = [*argv, str(BIN / "millrace")]
        for one in sets:
            command += ["--set", one]
        if config is not None:
            command += ["--config", str(config)]
        with self.log.open("wb") as log:
            self.child = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          start_new_session=True)
        found = wait_for(self._ready, "the daemon to be ready")
        self.text_port = int(found[1])
        self.address = found[2]
        self._channels: list[grpc.Channel] = []

    def _ready(self) -> re.Match | None:
        log = self.log.read_text(errors="replace")
        assert self.child.poll() is None, f"the daemon ended:\n{log[-3000:]}"
        return re.search(r"is ready: text protocol on udp:127\.0\.0\.1:(\d+)(?:; grpc:([^,;\s]+))?", log)

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def channel(self, options: Sequence[tuple] = ()) -> grpc.Channel:
        self._channels.append(grpc.insecure_channel(self.address, options=list(options)))
        return self._channels[-1]

    def api(self, channel: grpc.Channel | None = None):
        """The stub of the service."""
        return messages()[1].RtpProxyStub(channel or self.channel())

    def mrctl(self, *words: str) -> dict:
        done = subprocess.run([str(BIN / "mrctl"), "--socket", str(self.admin), "--json", *words], capture_output=True,
                              text=True, timeout=10, check=True)
        return json.loads(done.stdout)

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.child.pid}/fd"))

    def stop(self) -> None:
        """Fails when the daemon does not end well by itself."""
        for channel in self._channels:
            channel.close()
        try:
            if self.child.poll() is None:
                self.child.terminate()
            status = self.child.wait(timeout=6)
        finally:
            if self.child.poll() is None:
                self.child.kill()
                self.child.wait()
        assert status == 0, f"ended with {status}:\n{self.log.read_text()[-3000:]}"


def refused(folder: Path, *settings: str) -> str:
    """What the daemon says when it does not start with these settings."""
    command = [str(BIN / "millrace"), "--set", f"admin.socket={folder / 'admin'}",
               "--set", "rtpproxy.listen=[\"udp:127.0.0.1:0\"]", "--set", "media.address=127.0.0.1"]
    for one in settings:
        command += ["--set", one]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 2, f"status {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@cache
def node_modules() -> Path:
    """The npm packages of tests/interop/node, installed below build/ when the lock file says something new."""
    home = ROOT / "build" / "npm"
    lock = (NODE / "package-lock.json").read_text()
    stamp = home / "installed.json"
    if not stamp.exists() or stamp.read_text() != lock:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(NODE / name, home / name)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=home, check=True,
                       capture_output=True, timeout=300)
        stamp.write_text(lock)
    return home


def node(script: Path, *words: str, timeout: float = 20) -> subprocess.CompletedProcess:
    """Runs one of our scripts with the packages: they are found from a copy beside node_modules."""
    home = node_modules()
    copy = home / script.name
    copy.write_text(script.read_text())
    return subprocess.run(["node", str(copy), *words], capture_output=True, text=True, timeout=timeout, check=False)


def grpcurl(*words: str, timeout: float = 20) -> subprocess.CompletedProcess:
    return node(NODE / "grpcurl.mjs", *words, timeout=timeout)


def documents(text: str) -> Iterator[dict]:
    """The JSON documents that stand one after another in `text`."""
    decoder, at = json.JSONDecoder(), 0
    while (rest := text[at:].lstrip()):
        value, used = decoder.raw_decode(rest)
        at += len(text[at:]) - len(rest) + used
        yield value
