"""Runs the tests and ends with one line: N passed, N failed. `./mr test`, `asan`, `tsan` and `fuzz` come here.

A section that fails does not stop the next ones; what failed is listed with its log before the last line.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "build" / "log"
JOBS = os.cpu_count() or 1
FUZZ_SECONDS = 10
EXCERPT_LINES = 40
SANITIZER_ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "ASAN_SYMBOLIZER_PATH": "/usr/bin/llvm-symbolizer-19",
    "TSAN_OPTIONS": "external_symbolizer_path=/usr/bin/llvm-symbolizer-19",
}


@dataclass
class Failure:
    name: str
    log: Path


@dataclass
class Outcome:
    passed: int = 0
    skipped: int = 0
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        self.passed += other.passed
        self.skipped += other.skipped
        self.failures += other.failures

    def line(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {len(self.failures)} failed{skipped}"


def run(command: list[str], log: Path, limit_s: int, environment: dict[str, str] | None = None) -> bool:
    """True when the command ended well within its time. Everything it prints goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as out:
        out.write(f"$ {' '.join(command)}\n")
        out.flush()
        child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                 env=os.environ | SANITIZER_ENVIRONMENT | (environment or {}), start_new_session=True)
        try:
            return child.wait(timeout=limit_s) == 0
        except (subprocess.TimeoutExpired, KeyboardInterrupt) as reason:
            os.killpg(child.pid, signal.SIGKILL)   # its own session: nothing of it stays behind
            child.wait()
            if isinstance(reason, KeyboardInterrupt):
                raise
            out.write(f"stopped after {limit_s} s\n")
            return False


def build(preset: str, *targets: str) -> Outcome:
    """Counts only when it fails: a build is no test, but without one there are none."""
    # build.sh keeps the log itself, and shows its progress where somebody watches.
    watched = None if sys.stdout.isatty() else subprocess.DEVNULL
    done = subprocess.run(["scripts/build.sh", preset, *targets], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=watched,
                          stderr=watched, check=False)
    if done.returncode == 0:
        return Outcome()
    return Outcome(failures=[Failure(f"{preset}: the build of {' '.join(targets)}", LOGS / f"{preset}-build.log")])


# --- sections ---------------------------------------------------------------------------------------------------------


def gtest_cases(results: Path, prefix: str, log: Path) -> Outcome:
    """The cases of one GoogleTest binary, from the file that it wrote."""
    outcome = Outcome()
    for case in ElementTree.parse(results).getroot().iter("testcase"):
        if case.find("failure") is not None:
            suite = f"{case.get('classname')}." if case.get("classname") else ""
            outcome.failures.append(Failure(f"{prefix}: {suite}{case.get('name')}", log))
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            outcome.skipped += 1
        else:
            outcome.passed += 1
    return outcome


def ctest(preset: str) -> Outcome:
    directory = ROOT / "build" / preset
    log = LOGS / f"{preset}-unit.log"
    log.unlink(missing_ok=True)
    for old in (directory / "test-results").glob("*.xml"):
        old.unlink()
    junit = directory / "ctest.xml"
    junit.unlink(missing_ok=True)
    run(["ctest", "--test-dir", str(directory), "--parallel", str(JOBS), "--output-on-failure",
         "--output-junit", str(junit)], log, 1800)
    if not junit.exists():
        return Outcome(failures=[Failure(f"{preset}: ctest", log)])

    outcome = Outcome()
    if ElementTree.parse(junit).getroot().find("testcase") is None:
        outcome.failures.append(Failure(f"{preset}: not one test was built", LOGS / f"{preset}-build.log"))
    for binary in ElementTree.parse(junit).getroot().iter("testcase"):
        name = binary.get("name", "")
        results = directory / "test-results" / f"{name}.xml"
        prefix = name if preset == "release" else f"{preset}: {name}"
        try:
            cases = gtest_cases(results, prefix, log)
        except (OSError, ElementTree.ParseError):
            cases = Outcome()
        # A crash or a sanitizer's report ends the binary badly although no single case says so.
        if binary.get("status") != "run" and not cases.failures:
            cases.failures.append(Failure(f"{prefix} as a whole", log))
        outcome.add(cases)
    return outcome


def unit(_: argparse.Namespace) -> Outcome:
    broken = build("release", "unit_tests", "programs")
    return broken if broken.failures else ctest("release")


def sanitized(preset: str) -> Outcome:
    broken = build(preset, "unit_tests")
    return broken if broken.failures else ctest(preset)


def pytest(name: str, folder: str) -> Outcome:
    if not any((ROOT / folder).rglob("*test*.py")):
        return Outcome()
    log, junit = LOGS / f"{name}.log", LOGS / f"{name}.xml"
    log.unlink(missing_ok=True)
    junit.unlink(missing_ok=True)
    well = run([sys.executable, "-m", "pytest", "-q", "-ra", "--tb=short", "-p", "no:cacheprovider",
                f"--junitxml={junit}", folder], log, 1500)
    outcome = Outcome()
    if junit.exists():
        for case in ElementTree.parse(junit).getroot().iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                outcome.failures.append(Failure(f"{name}: {case.get('classname')}.{case.get('name')}", log))
            elif case.find("skipped") is not None:
                outcome.skipped += 1
            else:
                outcome.passed += 1
    if not well and not outcome.failures:
        outcome.failures.append(Failure(f"{name} as a whole", log))
    return outcome


def tidy(_: argparse.Namespace) -> Outcome:
    log, counts = LOGS / "tidy.log", LOGS / "tidy.xml"
    log.unlink(missing_ok=True)
    counts.unlink(missing_ok=True)
    run([sys.executable, "scripts/tidy.py", f"--junitxml={counts}"], log, 1800)
    outcome = pytest("tidy-itself", "scripts")
    if counts.exists():
        outcome.add(gtest_cases(counts, "tidy", log))
    else:
        outcome.failures.append(Failure("tidy as a whole", log))
    return outcome


def fuzz_one(target: str, seconds: int) -> Outcome:
    """New inputs are kept under build/, so that fuzz/corpus stays what people put there."""
    log = LOGS / f"fuzz-{target}.log"
    log.unlink(missing_ok=True)
    found = ROOT / "build" / "fuzz" / target
    (found / "corpus").mkdir(parents=True, exist_ok=True)
    command = [f"build/asan/fuzz/{target}_fuzz", f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048",
               f"-artifact_prefix={found}/", str(found / "corpus")]
    if (ROOT / "fuzz" / "corpus" / target).is_dir():
        command.append(f"fuzz/corpus/{target}")
    if (ROOT / "fuzz" / f"{target}.dict").is_file():
        command.append(f"-dict=fuzz/{target}.dict")
    if run(command, log, seconds + 120):
        return Outcome(passed=1)
    return Outcome(failures=[Failure(f"fuzz: {target} (its input lies in {found.relative_to(ROOT)})", log)])


def fuzz(options: argparse.Namespace) -> Outcome:
    targets = sorted(path.name.removesuffix("_fuzz.cpp") for path in (ROOT / "fuzz").glob("*_fuzz.cpp"))
    if options.target:
        if options.target not in targets:
            sys.exit(f"mr: no fuzz target '{options.target}'; there are: {', '.join(targets) or 'none'}")
        targets = [options.target]
    outcome = build("asan", *(f"{target}_fuzz" for target in targets)) if targets else Outcome()
    if outcome.failures:
        return outcome
    with ThreadPoolExecutor(JOBS) as pool:
        for one in pool.map(lambda target: fuzz_one(target, options.seconds), targets):
            outcome.add(one)
    return outcome


SECTIONS = {
    "unit": ("unit and sim tests", unit),
    "interop": ("interop: transcripts against the program", lambda _: pytest("interop", "tests/interop")),
    "e2e": ("e2e: Kamailio and sipp through the program", lambda _: pytest("e2e", "tests/e2e")),
    "tidy": ("tidy", tidy),
    "asan": ("ASan and UBSan: unit and sim tests", lambda _: sanitized("asan")),
    "fuzz": ("fuzzers", fuzz),
    "tsan": ("TSan: unit and sim tests below the front ends", lambda _: sanitized("tsan")),
}


# --- the run ----------------------------------------------------------------------------------------------------------


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def report(failures: list[Failure]) -> None:
    """Where nobody sits at a terminal, the logs may be gone with the machine: then their ends are shown too."""
    if not sys.stdout.isatty():
        for log in dict.fromkeys(failure.log for failure in failures):
            text = log.read_text(errors="replace") if log.exists() else ""
            print(f"\n-- the end of {log.relative_to(ROOT)}\n" + "\n".join(text.splitlines()[-EXCERPT_LINES:]))
    print("\nFailed:")
    for failure in failures:
        print(f"  {failure.name}\n      log: {failure.log.relative_to(ROOT)}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="mr test", description=__doc__.splitlines()[0])
    parser.add_argument("section", nargs="?", choices=SECTIONS, help="only this one")
    parser.add_argument("target", nargs="?", help="fuzz: only this target")
    parser.add_argument("seconds", nargs="?", type=int, default=FUZZ_SECONDS, help="fuzz: how long each runs")
    parser.add_argument("--quick", action="store_true", help="unit and sim only")
    options = parser.parse_args()
    if options.target and options.section != "fuzz":
        parser.error(f"unknown argument '{options.target}'")
    chosen = [options.section] if options.section else ["unit"] if options.quick else list(SECTIONS)

    total, start = Outcome(), time.monotonic()
    for name in chosen:
        heading, section = SECTIONS[name]
        began = time.monotonic()
        print(f"== {heading}", flush=True)
        outcome = section(options)
        print(f"   {outcome.line()}  ({clock(time.monotonic() - began)})", flush=True)
        total.add(outcome)

    if total.failures:
        report(total.failures)
    print(f"\nafter {clock(time.monotonic() - start)}; logs are in build/log/")
    print(total.line())
    return 1 if total.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
