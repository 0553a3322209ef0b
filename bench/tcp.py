"""`./mr bench tcp`: a TCP session beside socat and nginx's stream proxy, one way and both ways at once, and what a
gigabyte costs each of them."""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from shared import machine

BLOCK = 1 << 18
TICKS = os.sysconf("SC_CLK_TCK")
READY_WITHIN_S = 5.0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mr bench tcp", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="write every figure, every run and the conditions")
    parser.add_argument("--quick", action="store_true", help="short: shows that it works, not how fast it is")
    parser.add_argument("--rounds", type=int, metavar="N", help="default 3, with --quick 1")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.seconds = 1.0 if options.quick else 4.0
    return options


# --- the ends: processes of their own, because a thread of this one would share the interpreter -----------------------

SEND = """
import socket, sys, time
peer = socket.socket(fileno=int(sys.argv[1])); block = bytes(%d); end = time.monotonic() + float(sys.argv[2])
peer.setblocking(True)
while time.monotonic() < end + 10: peer.sendall(block)   # it is ended when the receivers have measured
""" % BLOCK
RECEIVE = """
import socket, sys, time
peer = socket.socket(fileno=int(sys.argv[1])); buffer = bytearray(%d); size = 0; start = time.monotonic()
peer.setblocking(True)
while time.monotonic() < start + float(sys.argv[2]): size += peer.recv_into(buffer)
print(size, time.monotonic() - start)
""" % BLOCK


def start(script: str, peer: socket.socket, seconds: float) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", script, str(peer.fileno()), str(seconds)], pass_fds=[peer.fileno()],
                            stdout=subprocess.PIPE, text=True)


def through(address: tuple[str, int], server: socket.socket, seconds: float, both: bool) -> float:
    """Gigabytes a second through whatever listens at `address` and connects to `server`; both ways added up."""
    client = socket.create_connection(address, timeout=READY_WITHIN_S)
    far, _ = server.accept()
    ends = [(client, far), (far, client)] if both else [(client, far)]
    receivers = [start(RECEIVE, to, seconds) for _, to in ends]
    senders = [start(SEND, source, seconds) for source, _ in ends]
    rate = 0.0
    for receiver in receivers:
        size, took = receiver.communicate(timeout=seconds + 60)[0].split()
        rate += int(size) / float(took) / 1e9
    for sender in senders:   # not an end of the stream: nginx ends both directions with the first
        sender.kill()
        sender.wait(10)
    client.close()
    far.close()
    return rate


# --- the proxies ------------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def cpu_seconds(pids: list[int]) -> float:
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def children(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += children(int(child))
    return found


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while True:
        if any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
               for line in Path("/proc/net/tcp").read_text().splitlines()[1:]):
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"nobody listens on port {port}")
        time.sleep(0.02)


@contextmanager
def process(*command: str):
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield child.pid
    finally:
        child.terminate()
        child.wait(10)


@contextmanager
def socat(destination: int, _scratch: Path):
    port = free_port()
    with process("socat", "-b", "262144", f"TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr", f"TCP:127.0.0.1:{destination}") as pid:
        wait_for_port(port)
        yield ("127.0.0.1", port), pid


@contextmanager
def nginx(destination: int, scratch: Path):
    port = free_port()
    config = scratch / "nginx.conf"
    config.write_text(f"load_module /usr/lib/nginx/modules/ngx_stream_module.so;\nworker_processes 1;\ndaemon off;\n"
                      f"pid {scratch}/nginx.pid;\nerror_log {scratch}/nginx.log;\nevents {{}}\n"
                      f"stream {{ server {{ listen 127.0.0.1:{port}; proxy_pass 127.0.0.1:{destination};\n"
                      "proxy_buffer_size 256k; } }\n")
    with process("nginx", "-p", str(scratch), "-c", str(config), "-e", f"{scratch}/nginx.log") as pid:
        wait_for_port(port)
        yield ("127.0.0.1", port), pid


@contextmanager
def millrace(destination: int, scratch: Path):
    with machine.millrace(scratch) as daemon:
        done = subprocess.run([str(machine.BENCH / "api_load"), "tcp", daemon.grpc, str(destination)], capture_output=True,
                              text=True, timeout=10, check=True)
        made = json.loads(done.stdout)
        yield (made["address"], made["port"]), daemon.pid


PROXIES = {"socat": (socat, "socat"), "nginx": (nginx, "nginx"), "millrace": (millrace, None)}


def measure(proxy, both: bool, options, scratch: Path) -> dict:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(READY_WITHIN_S)
        with proxy(server.getsockname()[1], scratch) as (address, pid):
            before = cpu_seconds(children(pid))
            seen: dict = {}

            def watch() -> None:   # socat's child, which does the work, is there only while it runs
                seen["pids"] = children(pid)

            timer = threading.Timer(options.seconds / 2, watch)
            timer.start()
            sampler = threading.Timer(options.seconds * 0.9, lambda: seen.update(cpu=cpu_seconds(children(pid))))
            sampler.start()
            rate = through(address, server, options.seconds, both)
            timer.join()
            sampler.join()
            used = seen["cpu"] - before
            return {"gigabytes_per_second": rate, "cpu_per_gigabyte_s": used / (rate * options.seconds * 0.9)}


def main() -> int:
    options = arguments()
    subprocess.run([str(machine.ROOT / "scripts" / "build.sh"), "release", "programs", "api_load"], check=True,
                   stdout=subprocess.DEVNULL)
    chosen = {name: proxy for name, (proxy, program) in PROXIES.items() if program is None or shutil.which(program)}
    conditions = machine.conditions()
    runs: dict[str, dict[str, list[dict]]] = {name: {"one way": [], "both ways": []} for name in chosen}
    with tempfile.TemporaryDirectory(prefix="mr-bench-") as scratch:
        for number in range(options.rounds):
            for name, proxy in chosen.items():
                for way in ("one way", "both ways"):
                    print(f"round {number + 1}: {name}, {way}", file=sys.stderr, flush=True)
                    runs[name][way].append(measure(proxy, way == "both ways", options, Path(scratch)))
    lines, figures = [["figure", "", *chosen, "millrace / best peer", "target", "reached"]], []
    for way in ("one way", "both ways"):
        for key, unit in (("gigabytes_per_second", "GB/s"), ("cpu_per_gigabyte_s", "CPU s / GB")):
            values = {name: median(run[key] for run in runs[name][way]) for name in chosen}
            speed = key == "gigabytes_per_second"
            peers = [value for name, value in values.items() if name != "millrace"]
            best = (max(peers) if speed else min(peers)) if peers else None
            ratio = values["millrace"] / best if best else None
            reached = "" if not speed or ratio is None else "yes" if ratio >= 0.7 else "no"
            lines.append([f"TCP {way}", unit, *(f"{value:.2f}" for value in values.values()),
                          machine.number(ratio), ">= 0.70" if speed else "", reached])
            figures.append({"way": way, "key": key, "values": values, "ratio": ratio, "reached": reached})
    machine.publish(lines, {"conditions": conditions, "figures": figures, "runs": runs}, options)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
