"""`./mr bench relay`: Millrace beside rtpengine and the smallest possible relay, in the same run on the same machine.

Each relay is alone on one CPU, the generator (mrload) on another. Every measurement starts a fresh relay; rounds go
through all relays in turn, so that a change of the machine's mood meets all of them, and the medians are compared.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from relay_parts import figures, relays
from shared import machine

GENERATOR_ADDRESS = "127.0.0.2"     # not the relays' own: neither takes the other's ports
MEASUREMENT_WITHIN_S = 180
DEFAULT_RELAYS = "rtpengine,bare,millrace"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mr bench relay", description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="write every figure, every run and the conditions")
    parser.add_argument("--quick", action="store_true", help="one short round: shows that it works, not how fast it is")
    parser.add_argument("--rounds", type=int, metavar="N", help="default 3, with --quick 1")
    parser.add_argument("--relays", default=DEFAULT_RELAYS,
                        help=f"of rtpengine, bare, millrace, rtpproxy; default {DEFAULT_RELAYS}")
    parser.add_argument("--only", metavar="WORD",
                        help="only measurements whose name begins with it: media, growth, memory, setup")
    parser.add_argument("--relay-cpu", type=int, metavar="N")
    parser.add_argument("--generator-cpu", type=int, metavar="N")
    options = parser.parse_args()
    cpus = relays.free_cpus()
    if len(cpus) < 2:
        parser.error("two CPUs are needed, one for the relay and one for the generator")
    options.relay_cpu = cpus[0] if options.relay_cpu is None else options.relay_cpu
    options.generator_cpu = cpus[1] if options.generator_cpu is None else options.generator_cpu
    if options.relay_cpu == options.generator_cpu or not {options.relay_cpu, options.generator_cpu} <= set(cpus):
        parser.error(f"--relay-cpu and --generator-cpu must be two of {cpus}")
    options.rounds = options.rounds or (1 if options.quick else 3)
    return options


def chosen_relays(names: str, scratch: Path) -> list[relays.Relay]:
    known = relays.known_relays(scratch)
    unknown = [name for name in names.split(",") if name not in known]
    if unknown:
        sys.exit(f"mr bench relay: unknown relay {unknown[0]}; known: {', '.join(known)}")
    chosen = [known[name] for name in names.split(",")]
    for relay in [relay for relay in chosen if relays.missing(relay)]:
        print(f"mr bench relay: {relay.command[0]} is not there; left out", file=sys.stderr)
        chosen.remove(relay)
    if not chosen:
        sys.exit("mr bench relay: no relay left to measure")
    return chosen


def measure(relay: relays.Relay, measurement: figures.Measurement, options: argparse.Namespace, scratch: Path) -> dict:
    """One run of mrload against a fresh relay: its figures."""
    out = scratch / "figures.json"
    out.unlink(missing_ok=True)
    with relays.running(relay, options.relay_cpu) as pid:
        done = subprocess.run(
            [str(machine.BIN / "mrload"), *measurement.arguments, "--relay", relays.CONTROL,
             "--protocol", relay.protocol, "--local", GENERATOR_ADDRESS, "--pid", str(pid),
             "--cpu", str(options.generator_cpu), "--json", str(out)],
            capture_output=True, text=True, timeout=MEASUREMENT_WITHIN_S, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{relay.name}, {measurement.name}: {done.stderr.strip()}")
    report = json.loads(out.read_text())
    run, asked = report["figures"], report["conditions"]
    if "packets_per_second_and_side" in asked:
        run["wanted_per_second"] = 2 * asked["calls"] * asked["packets_per_second_and_side"]
    return run


def run_all(chosen: list[relays.Relay], options: argparse.Namespace,
            scratch: Path) -> tuple[figures.Results, list[str]]:
    plan = [m for m in figures.measurements(options.quick) if m.name.startswith(options.only or "")]
    if not plan:
        sys.exit(f"mr bench relay: no measurement begins with \"{options.only}\"")
    results: figures.Results = {relay.name: {m.name: [] for m in plan} for relay in chosen}
    failures = []
    total, done = options.rounds * len(plan) * len(chosen), 0
    for round_number in range(options.rounds):
        for measurement in plan:
            for relay in chosen:
                done += 1
                print(f"[{done}/{total}] round {round_number + 1}: {measurement.name}, {relay.name}",
                      file=sys.stderr, flush=True)
                try:
                    results[relay.name][measurement.name].append(measure(relay, measurement, options, scratch))
                except (RuntimeError, subprocess.TimeoutExpired) as error:
                    failures.append(str(error))
                    print(f"  failed: {error}", file=sys.stderr, flush=True)
    return results, failures


def conditions(chosen: list[relays.Relay], options: argparse.Namespace) -> dict:
    return {
        **machine.conditions(),
        "relay_cpu": options.relay_cpu,
        "generator_cpu": options.generator_cpu,
        "rounds": options.rounds,
        "quick": options.quick,
        # A relay that sets no receive buffer gets the default; one that asks for more gets at most the maximum.
        "net.core.rmem_default": machine.first_line("/proc/sys/net/core/rmem_default"),
        "net.core.rmem_max": machine.first_line("/proc/sys/net/core/rmem_max"),
        "relays": {relay.name: {"version": relays.version_of(relay),
                                "command": " ".join(relay.command).replace(f"{machine.ROOT}/", "")}
                   for relay in chosen},
    }


def show(rows: list[dict], names: list[str]) -> None:
    subjects = [name for name in names if rows[0]["subjects"].get(name) is not None]
    head = ["figure", "", *names, "target"]
    for subject in subjects:
        head += [f"{subject}: reached", "/ rtpengine", "/ bare"]
    lines = [head]
    for row in rows:
        sign = ">=" if row["at_least"] else "<="
        target = f"{sign} {machine.number(row['target'])}" if row["target"] is not None else ""
        line = [row["label"], row["unit"], *(machine.number(row["values"].get(name)) for name in names), target]
        for subject in subjects:
            facts = row["subjects"][subject]
            line += [facts["reached"], machine.number(facts["to_rtpengine"]), machine.number(facts["to_bare"])]
        lines.append(line)
    print(machine.table(lines))


def held_up(results: figures.Results) -> tuple[int, int]:
    runs = [run for of in results.values() for rounds in of.values() for run in rounds if "sent_per_second" in run]
    return sum(not figures.steady(run) for run in runs), len(runs)


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # through the finally clauses: no relay stays behind
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="mr-bench-") as directory:
        scratch = Path(directory)
        chosen = chosen_relays(options.relays, scratch)
        state = conditions(chosen, options)
        results, failures = run_all(chosen, options, scratch)
    state["load_at_end"] = os.getloadavg()[0]
    rows = figures.table(results)
    unsteady, runs = held_up(results)

    print(f"\n{state['processor']}, kernel {state['kernel']}, {state['date']}; medians of {options.rounds} round(s); "
          f"relay on CPU {options.relay_cpu}, generator on CPU {options.generator_cpu}\n")
    show(rows, list(results))
    if unsteady:
        print(f"\nThe machine held the generator up in {unsteady} of {runs} media runs: those were put aside where "
              "steadier ones exist. Other work runs here; do not take delays and losses for the relays' own.")
    if options.json:
        everything = {"conditions": state, "figures": rows, "runs": results, "failures": failures,
                      "unsteady_runs": unsteady}
        Path(options.json).write_text(json.dumps(everything, indent=1) + "\n")
        print(f"\nEvery figure and run: {options.json}")
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
