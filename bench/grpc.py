"""`./mr bench grpc`: how many sessions the gRPC API makes, lists and tells of, and what media notices of it."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from shared import machine

GENERATOR_ADDRESS = "127.0.0.2"
STATUS_RATE = 200         # GetSessionStatus a second beside media
STREAMS = 1_000
CHURN_PAIRS = 2_000       # CreateSession + DestroySession that all streams are told of
PACE = 50


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mr bench grpc", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="write every figure, every run and the conditions")
    parser.add_argument("--quick", action="store_true", help="short: shows that it works, not how fast it is")
    parser.add_argument("--rounds", type=int, metavar="N", help="default 3, with --quick 1")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 3)
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        parser.error("two CPUs are needed, one for the relay and one for the generator")
    options.relay_cpu, options.load_cpu = cpus[0], cpus[1]
    return options


def load(*words: str, cpu: int | None = None) -> dict:
    """One run of api_load. Beside media it goes before the generator on its CPU: what is measured is the node, not how
    long a question waits behind the generator."""
    pinned = ["taskset", "-c", str(cpu), "nice", "-n", "-10"] if cpu is not None else []
    done = subprocess.run([*pinned, str(machine.BENCH / "api_load"), *words], capture_output=True, text=True, timeout=120,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout)


@contextmanager
def watching(daemon: machine.Millrace, streams: int, cpu: int):
    # And readers go behind it, or the generator's own delay would look like the relay's.
    child = subprocess.Popen(["taskset", "-c", str(cpu), "nice", "-n", "19", str(machine.BENCH / "api_load"), "watch", daemon.grpc, str(streams)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    told: dict = {}
    try:
        assert child.stdout.readline() == "watching\n"
        yield told
        out, _ = child.communicate(timeout=60)
        told |= json.loads(out)
    finally:
        child.kill()
        child.wait()


def wait_for_media(scratch: Path, rate: int, generator: subprocess.Popen) -> None:
    """Until the node itself says that it relays most of the rate."""
    while generator.poll() is None:
        asked = subprocess.run([str(machine.BIN / "mrctl"), "--socket", f"{scratch}/admin.sock", "--json", "status"],
                               capture_output=True, text=True, timeout=10, check=True)
        if json.loads(asked.stdout)["packets_per_second"] > 0.8 * rate:
            return
        time.sleep(0.1)
    raise RuntimeError("the generator ended before the node relayed anything")


def media(daemon: machine.Millrace, rate: int, seconds: int, options, scratch: Path, beside=None) -> dict:
    """mrload's figures for so many packets a second, while `beside` runs."""
    out = scratch / "media.json"
    command = [str(machine.BIN / "mrload"), "media", "--calls", str(rate // (2 * PACE)), "--pps", str(PACE), "--duration",
               str(seconds), "--relay", daemon.text, "--local", GENERATOR_ADDRESS, "--pid", str(daemon.pid), "--cpu",
               str(options.load_cpu), "--json", str(out)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as child:
        try:
            if beside:   # the generator measures the direct path first, and places its calls
                wait_for_media(scratch, rate, child)
            result = beside() if beside else None
            if beside and child.poll() is not None:
                raise RuntimeError("media had ended before what was to run beside it")
            _, said = child.communicate(timeout=180)
        finally:
            child.kill()
    if child.returncode != 0:
        raise RuntimeError(said.strip())
    figures = json.loads(out.read_text())["figures"]
    return {"lost_packets": figures["lost_packets"], "added_p99_us": figures.get("added_p99_us"),
            "cpu_per_packet_us": figures.get("cpu_per_packet_us"), "beside": result}


def one_round(options, scratch: Path) -> dict[str, float]:
    quick = options.quick
    figures: dict[str, float] = {}
    with machine.millrace(scratch) as daemon:
        pairs = load("pairs", daemon.grpc, "4000" if quick else "30000", "64", "20")
        figures["pairs"] = pairs["pairs_per_second"]
        figures["pairs_p99"] = pairs["p99_ms"]
    with machine.millrace(scratch) as daemon:
        figures["list"] = load("list", daemon.grpc, "4000", "5" if quick else "20", "4")["p50_ms"]
    seconds = 3 if quick else 8
    for name, with_api in (("alone", False), ("asked", True)):
        with machine.millrace(scratch, cpus=str(options.relay_cpu)) as daemon:
            beside = (lambda: load("status", daemon.grpc, str(seconds), str(STATUS_RATE), cpu=options.load_cpu)) \
                if with_api else None
            run = media(daemon, 100_000, seconds + 4, options, scratch, beside)
            figures[f"lost_{name}"] = run["lost_packets"]
            figures[f"cpu_{name}"] = run["cpu_per_packet_us"]
            if with_api:
                figures["status_p99"] = run["beside"]["p99_ms"]
    for name, streams in (("unwatched", 0), ("watched", STREAMS)):
        with machine.millrace(scratch, cpus=str(options.relay_cpu)) as daemon:
            churn = lambda: load("pairs", daemon.grpc, str(CHURN_PAIRS // (4 if quick else 1)), "1", "4",  # noqa: E731
                                 cpu=options.load_cpu)
            if streams:
                with watching(daemon, streams, options.load_cpu):
                    run = media(daemon, 20_000, seconds + 4, options, scratch, churn)
            else:
                run = media(daemon, 20_000, seconds + 4, options, scratch, churn)
            figures[f"lost_{name}"] = run["lost_packets"]
            figures[f"added_p99_{name}"] = run["added_p99_us"]
    return figures


ROWS = [   # key, label, unit, target, at least
    ("pairs", "CreateSession + DestroySession, 64 at a time", "/s", 3000, True),
    ("pairs_p99", "one such pair, p99", "ms", None, False),
    ("list", "ListSessions of 4,000 sessions", "ms", 50, False),
    ("status_p99", f"GetSessionStatus p99, {STATUS_RATE}/s beside 100,000 packets/s", "ms", 5, False),
    ("lost_alone", "packets lost of 100,000/s, API idle", "", None, False),
    ("lost_asked", "packets lost of 100,000/s, API asked", "", 0, False),
    ("cpu_alone", "CPU a packet at 100,000/s, API idle", "us", None, False),
    ("cpu_asked", "CPU a packet at 100,000/s, API asked", "us", None, False),
    ("lost_unwatched", "packets lost of 20,000/s beside sessions that come and go", "", None, False),
    ("lost_watched", f"the same, with {STREAMS:,} event streams", "", 0, False),
    ("added_p99_unwatched", "added delay p99 beside sessions that come and go", "us", None, False),
    ("added_p99_watched", f"the same, with {STREAMS:,} event streams", "us", None, False),
]


def main() -> int:
    options = arguments()
    subprocess.run([str(machine.ROOT / "scripts" / "build.sh"), "release", "programs", "api_load"], check=True,
                   stdout=subprocess.DEVNULL)
    conditions = machine.conditions()
    runs = []
    with tempfile.TemporaryDirectory(prefix="mr-bench-") as scratch:
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
            runs.append(one_round(options, Path(scratch)))
    lines, figures = [["figure", "", "millrace", "target", "reached"]], []
    for key, label, unit, target, at_least in ROWS:
        value = median(run[key] for run in runs)
        reached = "" if target is None else "yes" if (value >= target if at_least else value <= target) else "no"
        wanted = "" if target is None else f"{'>=' if at_least else '<='} {machine.number(target)}"
        lines.append([label, unit, machine.number(value), wanted, reached])
        figures.append({"key": key, "label": label, "unit": unit, "value": value, "target": target, "reached": reached})
    machine.publish(lines, {"conditions": conditions, "figures": figures, "runs": runs}, options)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
