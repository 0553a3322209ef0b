"""What is measured, and what is made of it: one figure a line of the table, with its target."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

RATES = (50_000, 100_000, 150_000, 200_000)
PACE = 50                       # packets a second and side of a phone
PACKET_TIME_US = 1e6 / PACE
GROWTH_RATE = 100_000
GROWTH_CALLS = (100, 1_000, 4_000)
SETUP_ALIVE = (100, 4_000)

# relay -> measurement -> the "figures" of mrload's JSON, one a round
Results = dict[str, dict[str, list[dict]]]


@dataclass(frozen=True)
class Measurement:
    name: str
    arguments: tuple[str, ...]


def measurements(quick: bool) -> list[Measurement]:
    seconds = "2" if quick else "5"
    scale = 4 if quick else 1

    def media(name: str, calls: int, pace: float) -> Measurement:
        return Measurement(name, ("media", "--calls", str(calls), "--pps", f"{pace:g}", "--duration", seconds))

    plan = [media(f"media {rate}", rate // (2 * PACE), PACE) for rate in RATES]
    plan += [media(f"growth {calls}", calls, GROWTH_RATE / (2 * calls)) for calls in GROWTH_CALLS if calls != 1_000]
    plan.append(Measurement("memory", ("memory", "--calls", "2000", "--pps", "5", "--duration", "2", "--warm-up", "0")))
    plan.append(Measurement("setup", ("setup", "--total", str(20_000 // scale))))
    plan.append(Measurement("setup waiting", ("setup", "--window", "1", "--total", str(8_000 // scale))))
    plan += [Measurement(f"setup {alive}", ("setup", "--alive", str(alive), "--total", str(12_000 // scale)))
             for alive in SETUP_ALIVE]
    return plan


def steady(run: dict) -> bool:
    """False when the generator was held up by the machine, so that the load was not the one that was asked for."""
    if "sent_per_second" not in run:
        return True
    return run["sent_per_second"] >= 0.99 * run["wanted_per_second"] and run["lost_in_generator"] == 0


class Values:
    """One relay's figures: medians over the steady rounds, or over all when none was steady."""

    def __init__(self, runs: dict[str, list[dict]]):
        self._runs = runs

    def __call__(self, measurement: str, key: str) -> float | None:
        runs = [run for run in self._runs.get(measurement, []) if key in run]
        runs = [run for run in runs if steady(run)] or runs
        return median(run[key] for run in runs) if runs else None

    def growth(self) -> float | None:
        names = ["media 100000" if calls == 1_000 else f"growth {calls}" for calls in GROWTH_CALLS]
        return _spread([self(name, "cpu_per_packet_us") for name in names])

    def setup_growth(self) -> float | None:
        return _spread([self(f"setup {alive}", "cpu_per_setup_us") for alive in SETUP_ALIVE])

    def lossless_rate(self) -> float | None:
        """The highest rate up to which the median run lost nothing."""
        return self._highest_rate(lambda name: _zero(self(name, "lost_packets")))

    def carried_rate(self) -> float | None:
        """The same, and half of the packets came through within a packet time. Receive buffers of thousands of sockets
        hold seconds of media, so a relay that is too slow loses nothing for a while and only falls behind."""
        return self._highest_rate(lambda name: _zero(self(name, "lost_packets"))
                                  and (self(name, "added_p50_us") or 0) < PACKET_TIME_US)

    def _highest_rate(self, passed: Callable[[str], bool]) -> float | None:
        names = {rate: f"media {rate}" for rate in RATES if self._runs.get(f"media {rate}")}
        best = 0 if names else None
        for rate, name in names.items():
            if not passed(name):
                break
            best = rate
        return best


def _zero(value: float | None) -> bool:
    return value == 0


def _spread(values: list[float | None]) -> float | None:
    if any(value is None or value <= 0 for value in values):
        return None
    return 100 * (max(values) / min(values) - 1)


@dataclass(frozen=True)
class Figure:
    key: str
    label: str
    unit: str
    value: Callable[[Values], float | None]
    # From rtpengine's and the bare relay's value of the same figure; nothing: shown for its own sake.
    target: Callable[[float | None, float | None], float | None] = lambda peer, floor: None
    at_least: bool = False


def _cpu_target(peer: float | None, floor: float | None) -> float | None:
    candidates = [0.7 * peer] if peer is not None else []
    candidates += [1.15 * floor] if floor is not None else []
    return max(candidates, default=None)


def _fixed(value: float) -> Callable[[float | None, float | None], float | None]:
    return lambda peer, floor: value


FIGURES = [
    *(Figure(f"cpu_per_packet_us_{rate}", f"CPU a packet at {rate:,}/s", "us",
             lambda of, rate=rate: of(f"media {rate}", "cpu_per_packet_us"), _cpu_target) for rate in RATES[:2]),
    Figure("added_p99_us_50000", "added delay p99 at 50,000/s", "us",
           lambda of: of("media 50000", "added_p99_us"), _fixed(500)),
    Figure("added_p50_us_50000", "added delay p50 at 50,000/s", "us", lambda of: of("media 50000", "added_p50_us")),
    *(Figure(f"lost_packets_{rate}", f"lost at {rate:,}/s", "",
             lambda of, rate=rate: of(f"media {rate}", "lost_packets"), _fixed(0)) for rate in RATES),
    Figure("lossless_rate", "highest rate without loss", "/s", Values.lossless_rate, _fixed(200_000), at_least=True),
    Figure("carried_rate", "  and without falling behind", "/s", Values.carried_rate),
    Figure("cpu_percent_200000", "CPU in use at 200,000/s", "%", lambda of: of("media 200000", "cpu_percent")),
    Figure("added_p99_us_200000", "added delay p99 at 200,000/s", "us", lambda of: of("media 200000", "added_p99_us")),
    Figure("memory_per_call_kb", "memory a call (2,000 calls)", "KB",
           lambda of: of("memory", "per_call_kb"), _fixed(6)),
    Figure("resident_empty_kb", "memory without calls", "KB", lambda of: of("memory", "resident_empty_kb")),
    Figure("setups_per_second", "call set-ups, pipelined", "/s", lambda of: of("setup", "setups_per_second"),
           _fixed(12_000), at_least=True),
    Figure("setups_per_second_waiting", "call set-ups, waiting", "/s",
           lambda of: of("setup waiting", "setups_per_second"),
           lambda peer, floor: None if peer is None else 2.5 * peer, at_least=True),
    Figure("growth_percent", "growth of CPU a packet, 100 to 4,000 calls", "%", Values.growth, _fixed(15)),
    Figure("setup_growth_percent", "growth of CPU a set-up, 100 to 4,000 calls", "%", Values.setup_growth),
    *(Figure(f"cpu_per_setup_us_{alive}", f"CPU a set-up, {alive:,} alive", "us",
             lambda of, alive=alive: of(f"setup {alive}", "cpu_per_setup_us")) for alive in SETUP_ALIVE),
]


def verdict(figure: Figure, value: float | None, target: float | None) -> str:
    if target is None:
        return ""
    if value is None:
        return "not measured"
    return "yes" if (value >= target if figure.at_least else value <= target) else "NO"


def table(results: Results) -> list[dict]:
    """One row a figure: every relay's value, and of each subject the target, the verdict and the ratios."""
    values = {relay: Values(runs) for relay, runs in results.items()}
    subjects = [relay for relay in results if relay not in ("rtpengine", "bare")]
    rows = []
    for figure in FIGURES:
        of = {relay: figure.value(value) for relay, value in values.items()}
        peer, floor = of.get("rtpengine"), of.get("bare")
        target = figure.target(peer, floor)
        row = {"key": figure.key, "label": figure.label, "unit": figure.unit, "values": of, "target": target,
               "at_least": figure.at_least, "subjects": {}}
        for subject in subjects:
            value = of[subject]
            row["subjects"][subject] = {
                "reached": verdict(figure, value, target),
                "to_rtpengine": value / peer if value is not None and peer else None,
                "to_bare": value / floor if value is not None and floor else None,
            }
        rows.append(row)
    return rows
