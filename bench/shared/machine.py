"""The machine of a run, and a daemon on it: what every benchmark tells and starts."""

import argparse
import contextlib
import json
import os
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / "build" / "release" / "bin"
BENCH = ROOT / "build" / "release" / "bench"
READY_WITHIN_S = 10.0
STOP_WITHIN_S = 10.0


def first_line(path: str, key: str = "") -> str:
    for line in Path(path).read_text().splitlines():
        if line.startswith(key):
            return line.partition(":")[2].strip() if key else line.strip()
    return "unknown"


def conditions() -> dict:
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "processor": first_line("/proc/cpuinfo", "model name"),
        "cpus": os.cpu_count(),
        "memory": first_line("/proc/meminfo", "MemTotal"),
        "kernel": os.uname().release,
        "load_at_start": os.getloadavg()[0],
    }


def number(value: float | None) -> str:
    if value is None:
        return "-"
    if abs(value) >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.1f}"


def table(lines: list[list[str]]) -> str:
    """The first two columns to the left, figures to the right."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) if i < 2 else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(line, widths, strict=True))).rstrip()
                     for line in lines)


def publish(lines: list[list[str]], everything: dict, options: argparse.Namespace) -> None:
    """The table for people; every figure and run into --json FILE."""
    conditions = everything["conditions"]
    print(f"\n{conditions['processor']}, kernel {conditions['kernel']}, {conditions['date']}; medians of "
          f"{options.rounds} round(s)\n\n{table(lines)}")
    if options.json:
        Path(options.json).write_text(json.dumps(everything, indent=1) + "\n")


def stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class Millrace:
    pid: int
    text: str   # address of the text protocol
    grpc: str


@contextlib.contextmanager
def millrace(scratch: Path, *settings: str, cpus: str = ""):
    """A daemon with ports that the kernel chose; it is gone afterwards, whatever happens."""
    command = ["taskset", "-c", cpus] if cpus else []
    command.append(str(BIN / "millrace"))
    for one in ("media.address=127.0.0.1", "media.ports=10000-59999", "rtpproxy.listen=udp:127.0.0.1:0",
                "grpc.listen=127.0.0.1:0", f"admin.socket={scratch}/admin.sock", "log.level=info", *settings):
        command += ["--set", one]
    with tempfile.NamedTemporaryFile("w+") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + READY_WITHIN_S
            while not (ready := re.search(r"is ready: text protocol on udp:(\S+); grpc:([^;\s]+)",
                                          Path(log.name).read_text())):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"millrace did not start: {Path(log.name).read_text()[-2000:]}")
                time.sleep(0.02)
            yield Millrace(process.pid, ready[1], ready[2])
        finally:
            stop(process)
