"""Programs under test: started with a log of their own, watched, and stopped without leftovers."""
from __future__ import annotations

import os
import pathlib
import signal
import socket
import subprocess
import time
from typing import Callable, Sequence, TypeVar

T = TypeVar("T")
REPOSITORY = pathlib.Path(__file__).resolve().parents[3]


def wait_until(condition: Callable[[], T], what: str, seconds: float = 10.0) -> T:
    """The first truthy answer of `condition`; fails with `what` when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for: {what}")
        time.sleep(0.01)


def free_port(kind: int = socket.SOCK_DGRAM, host: str = "127.0.0.1") -> int:
    """A port that the kernel considers free now. For programs that must be told their port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def programs() -> pathlib.Path:
    """The folder of the built programs."""
    return pathlib.Path(os.environ.get("MILLRACE_BIN", REPOSITORY / "build" / "release" / "bin")).resolve()


class Process:
    """One child in a session of its own, so that a signal to it reaches nobody else."""

    def __init__(self, name: str, argv: Sequence[str], folder: pathlib.Path, netns: str | None = None):
        self.name, self.log_path = name, folder / f"{name}.log"
        # `ip netns exec` becomes the program, so the pid is the program's own.
        prefix = ["ip", "netns", "exec", netns] if netns else []
        with self.log_path.open("wb") as log:
            self.child = subprocess.Popen([*prefix, *argv], cwd=folder, stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=subprocess.STDOUT, start_new_session=True)

    @property
    def pid(self) -> int:
        return self.child.pid

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def alive(self) -> bool:
        return self.child.poll() is None

    def wait(self, seconds: float) -> int:
        return self.child.wait(seconds)

    def kill(self) -> None:
        """As a crash would end it."""
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def stop(self, seconds: float = 5.0) -> int:
        """SIGTERM, then SIGKILL for all that is left of its session. Returns its status."""
        if self.alive():
            self.child.terminate()
        try:
            status = self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            status = -signal.SIGKILL
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()
        return status

    def resident_kib(self) -> int:
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError(f"{self.name} has no resident memory: it is gone")
