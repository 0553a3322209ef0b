"""Fixtures of the interop tests. MILLRACE_BIN says where the built programs are."""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Callable, Iterator

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from api import Millrace  # noqa: E402
from program import Program  # noqa: E402


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Starts programs as Program(folder, options, kind) does, and ends them after the test."""
    running: list[Program] = []

    def one(options: list[str] | None = None, kind: str = "udp") -> Program:
        folder = tmp_path / str(len(running))
        folder.mkdir()
        running.append(Program(folder, options or ["-l", "127.0.0.1"], kind))
        return running[-1]

    yield one
    for program in reversed(running):
        program.stop()


@pytest.fixture
def millrace(tmp_path: Path) -> Iterator[Callable[..., Millrace]]:
    """Starts daemons as Millrace(folder, settings) does, and ends them after the test."""
    running: list[Millrace] = []

    def one(*settings: str, **options) -> Millrace:
        folder = tmp_path / f"millrace-{len(running)}"
        folder.mkdir()
        running.append(Millrace(folder, settings, **options))
        return running[-1]

    yield one
    for daemon in reversed(running):
        daemon.stop()
