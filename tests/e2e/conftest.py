"""Fixtures of the end-to-end tests. Whatever a test starts is stopped after it, also when it fails; logs of a failed
test stay in pytest's temporary folder, and their ends are shown."""
from __future__ import annotations

import itertools
import os
import pathlib
import shutil
import sys
from typing import Callable, Iterator

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness.hostile import ThirdParty  # noqa: E402
from harness.kamailio import Kamailio  # noqa: E402
from harness.media import MediaHub  # noqa: E402
from harness.process import programs  # noqa: E402
from harness.relay import DROP_IN, Relay  # noqa: E402
from harness.sipp import Sipp, registration  # noqa: E402

NEEDED = ("kamailio", "sipp")


@pytest.fixture(scope="session", autouse=True)
def tools() -> None:
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    if not (programs() / DROP_IN).exists():
        pytest.fail(f"no {DROP_IN} in {programs()}: build first, or say where in MILLRACE_BIN")


@pytest.fixture
def hub() -> Iterator[MediaHub]:
    one = MediaHub()
    yield one
    one.close()


class Stage:
    """Starts programs for one test and takes them down in reverse."""

    numbers = itertools.count(1)

    def __init__(self, folder: pathlib.Path, hub: MediaHub):
        self.folder, self.hub = folder, hub
        # Media of a test has a loopback address to itself: floods and probes must not meet the relays of another run.
        self.media_address = f"127.{10 + os.getpid() % 240}.{next(self.numbers) % 250}.1"
        self._undo: list[Callable[[], object]] = []

    def defer(self, undo: Callable[[], object]) -> None:
        self._undo.append(undo)

    def relay(self, **options) -> Relay:
        one = Relay(self.folder, **{"address": self.media_address, **options})
        self.defer(one.stop)
        return one

    def kamailio(self, relays, **options) -> Kamailio:
        one = Kamailio(self.folder, relays, **options)
        self.defer(one.stop)
        return one

    def sipp(self, name, steps, **options) -> Sipp:
        one = Sipp(name, steps, self.folder, **options)
        self.defer(one.process.stop)
        return one

    def third_party(self, **options) -> ThirdParty:
        one = ThirdParty(self.folder, **options)
        self.defer(one.stop)
        return one

    def register_callee(self, server: str, host: str, port: int, netns: str | None = None) -> None:
        self.sipp("register", registration(), host=host, server=server, port=port, netns=netns).succeed()

    def clear(self) -> None:
        while self._undo:
            self._undo.pop()()

    def logs(self) -> str:
        parts = []
        for path in sorted(self.folder.glob("*.log")) + sorted(self.folder.glob("*.errors")):
            parts.append(f"--- {path.name}\n{path.read_text(errors='replace')[-2000:]}")
        return "\n".join(parts)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    stage = item.funcargs.get("stage")
    if report.when == "call" and report.failed and stage is not None:
        report.sections.append(("ends of the logs", stage.logs()))


def pytest_terminal_summary(terminalreporter) -> None:
    """What tests have counted on the way, beside having passed."""
    for report in terminalreporter.getreports("passed"):
        if report.when == "call":
            for what, figure in report.user_properties:
                terminalreporter.write_line(f"{report.nodeid.split('::')[-1]}: {what}: {figure}")


@pytest.fixture
def stage(tmp_path: pathlib.Path, hub: MediaHub) -> Iterator[Stage]:
    one = Stage(tmp_path, hub)
    yield one
    one.clear()
