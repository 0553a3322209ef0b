"""The drop-in as a program: what it refuses to start with, how it becomes a daemon, what signals do, what it leaves."""
from __future__ import annotations

import grp
import itertools
import os
import re
import resource
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path
from typing import Iterator, Sequence

import clients
import pytest
from program import PROGRAM, Program, wait_for

NOT_OURS = "203.0.113.77"   # an address of documentation, on no host
STARTS = ["-F", "-l", "127.0.0.1"]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change its user")


def run(options: Sequence[str], folder: Path, program: Path = PROGRAM) -> subprocess.CompletedProcess:
    """A start that is expected to end by itself."""
    admin = [] if "-v" in options or "check-config" in options else ["--set", "admin.socket="]
    return subprocess.run([str(program), *options, *admin], cwd=folder, capture_output=True, text=True, timeout=10,
                          stdin=subprocess.DEVNULL)


def status_of(pid: int, name: str) -> str:
    """A line of /proc/PID/status."""
    return re.search(rf"^{name}:[ \t]*(.*?)[ \t]*$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1]


def foreground(folder: Path, options: Sequence[str] = STARTS, **more: object) -> subprocess.Popen:
    """In the foreground and ready, its log on stderr; for tests that look at how it ends."""
    control = folder / "control"
    child = subprocess.Popen([str(PROGRAM), "-f", *options, "-p", "/dev/null", "-s", f"cunix:{control}",
                              "--set", "admin.socket="], stderr=subprocess.PIPE, text=True, **more)
    wait_for(lambda: clients.connect(socket.AF_UNIX, str(control)), "the control socket").close()
    return child


def end(child: subprocess.Popen, by: signal.Signals = signal.SIGTERM) -> str:
    """What it has said."""
    child.send_signal(by)
    return child.communicate(timeout=5)[1]


# --- starts that fail ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("options, says", [
    (["--bogus"], "usage: rtpproxy"),
    (["-T"], "usage: rtpproxy"),
    (["extra"], "usage: rtpproxy"),
    (["-T", "0x10"], "0x10"),
    (["-n", "tcp:127.0.0.1"], "tcp:HOST:PORT"),
    (["-s", "stdio:"], "-f"),
    (["-l", "nosuch.invalid", "--no_resolve"], "nosuch.invalid"),
    (["-F", "-l", NOT_OURS, "-p", "pid", "-s", "cunix:c"], "is not on this host, which has 127.0.0.1"),
    (["-f", "-F", "-l", NOT_OURS, "-p", "pid", "-s", "cunix:c"], "is not on this host, which has 127.0.0.1"),
    ([*STARTS, "-p", "missing/pid", "-s", "cunix:c"], "missing/pid"),
    ([*STARTS, "-p", "pid", "-s", "cunix:missing/c"], "missing/c"),
    ([*STARTS, "-f", "-p", "pid", "-s", "udp:nosuch.invalid:7722", "--no_resolve"], "nosuch.invalid"),
    ([*STARTS, "-f", "-p", "pid", "-s", "systemd:"], "descriptor 3"),
    ([*STARTS, "-f", "-p", "pid", "-s", "cunix:c", "-u", "no-such-user-here"], "no-such-user-here"),
    ([*STARTS, "-f", "-p", "pid", "-s", "cunix:c", "--set", "nothing.at.all=1"], "nothing"),
    ([*STARTS, "-f", "-p", "pid", "-s", "cunix:c", "-L", "2147483647"], "-L"),
    ([*STARTS, "-f", "-p", "pid", "-s", "cunix:c", *["-n", "/run/n.sock"] * 65], "64"),
], ids=" ".join)
def test_a_start_that_fails_says_why_with_status_1_and_leaves_nothing(tmp_path, options, says: str) -> None:
    ended = run(options, tmp_path)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert says in ended.stderr
    assert os.listdir(tmp_path) == []


def test_a_control_port_that_is_taken_is_named(tmp_path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        where = f"udp:127.0.0.1:{taken.getsockname()[1]}"
        ended = run([*STARTS, "-p", "pid", "-s", where], tmp_path)
        assert ended.returncode == 1 and where in ended.stderr


@as_root
def test_root_with_a_udp_socket_must_say_that_it_is_meant(tmp_path) -> None:
    ended = run(["-f", "-l", "127.0.0.1", "-p", "/dev/null", "-s", "udp:127.0.0.1:0"], tmp_path)
    assert ended.returncode == 1 and "root" in ended.stderr


@pytest.mark.parametrize("option, first_line", [("-v", r"Basic version: 20040107"), ("-V", r"millrace [\d.]+ as rtpproxy"),
                                                ("-C", "CLOCK_BOOTTIME")])
def test_questions_are_answered_and_nothing_is_started(tmp_path, option: str, first_line: str) -> None:
    ended = subprocess.run([str(PROGRAM), option], capture_output=True, text=True, timeout=10)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.fullmatch(first_line, ended.stdout.splitlines()[0])


@pytest.mark.parametrize("text, says", [
    ('[session]\nidle_timeout = "0s"\n', [":2: session.idle_timeout", "1s.."]),
    ("[media]\nports = 1\nfoo = 3\n", [":2: media.ports", ":3: media.foo"]),
    ("[rtpproxy\n", [":1"]),
    (f'[media]\naddress = "{NOT_OURS}"\n', ["which has 127.0.0.1"]),
])
def test_mistakes_in_a_settings_file_are_named_with_status_2(tmp_path, text: str, says: list[str]) -> None:
    (tmp_path / "millrace.toml").write_text(text)
    ended = run(["--config", "millrace.toml"], tmp_path, PROGRAM.parent / "millrace")
    assert ended.returncode == 2
    assert all(each in ended.stderr for each in says), ended.stderr


# --- a daemon -----------------------------------------------------------------------------------------------------

class Daemon:
    """Started without -f: the starting process has ended well, and by then the daemon answers."""

    def __init__(self, folder: Path, options: Sequence[str] = ()):
        self.pid_file, self.control = folder / "pid", folder / "control"
        ended = run([*STARTS, "-p", str(self.pid_file), "-s", f"cunix:{self.control}", *options], folder)
        assert ended.returncode == 0, ended.stderr
        self.pid = int(self.pid_file.read_text())

    def ask(self, command: str) -> str:
        client = clients.connect(socket.AF_UNIX, str(self.control))
        try:
            return client.ask(command)[0]
        finally:
            client.close()

    def gone(self) -> bool:
        """Nobody has to reap it where the first process of a container does not."""
        try:
            return status_of(self.pid, "State").startswith("Z")
        except (FileNotFoundError, ProcessLookupError):
            return True

    def stop(self) -> None:
        os.kill(self.pid, signal.SIGTERM)
        wait_for(lambda: self.gone() or None, "the daemon to end")


@pytest.fixture
def daemon(tmp_path, request) -> Iterator[Daemon]:
    one = Daemon(tmp_path, getattr(request, "param", ()))
    yield one
    if not one.gone():
        one.stop()


def test_a_daemon_is_ready_when_its_start_has_ended_and_tidies_up_behind_itself(daemon) -> None:
    assert daemon.ask("V") == "20040107"
    assert os.readlink(f"/proc/{daemon.pid}/cwd") == "/"
    assert {os.readlink(f"/proc/{daemon.pid}/fd/{number}") for number in range(3)} == {"/dev/null"}
    assert os.getsid(daemon.pid) == daemon.pid
    daemon.stop()
    assert not daemon.control.exists() and not daemon.pid_file.exists()


@pytest.mark.parametrize("daemon", [["-D"]], indirect=True)
def test_a_daemon_may_stay_in_its_directory(daemon) -> None:
    assert os.readlink(f"/proc/{daemon.pid}/cwd") == str(daemon.control.parent)


@pytest.mark.parametrize("daemon", [["-L", "777"]], indirect=True)
def test_the_limit_of_open_files_is_soft_and_hard(daemon) -> None:
    assert re.search(r"Max open files +777 +777 ", Path(f"/proc/{daemon.pid}/limits").read_text())


@as_root
@pytest.mark.parametrize("daemon", [["-u", "nobody"], ["-u", "nobody:nogroup"], ["-u", ":nogroup"]], indirect=True,
                         ids=lambda options: options[1])
def test_privileges_are_given_up_after_the_start(daemon, request) -> None:
    user, group = request.node.callspec.params["daemon"][1].partition(":")[::2]
    assert daemon.ask("U c 127.0.0.1 5000 f").endswith(" 127.0.0.1")
    assert ("65534" in status_of(daemon.pid, "Uid")) == bool(user)
    assert status_of(daemon.pid, "Gid").split() == [str(grp.getgrnam("nogroup").gr_gid)] * 4
    assert status_of(daemon.pid, "Groups") == ""


# --- signals ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["TERM", "INT", "USR1", "USR2", "PROF", "VTALRM", "XCPU", "XFSZ"])
def test_many_signals_stop_at_once_with_status_0(start, tmp_path, name: str) -> None:
    pid_file = tmp_path / "pid"
    program: Program = start(["-l", "127.0.0.1", "-p", str(pid_file)], "cunix")
    assert int(pid_file.read_text()) == program.child.pid
    assert program.client.ask("U c 127.0.0.1 5000 f")[0].endswith(" 127.0.0.1")
    program.child.send_signal(getattr(signal, f"SIG{name}"))
    assert program.wait_for_end() == 0
    assert not pid_file.exists() and not Path(program.path).exists()


def test_a_broken_pipe_is_no_reason_to_end(start) -> None:
    program: Program = start()
    program.child.send_signal(signal.SIGPIPE)
    assert program.client.ask("V") == ["20040107"]


@pytest.mark.parametrize("name", ["QUIT", "SYS", "ABRT"])
def test_a_fatal_signal_is_logged_and_does_what_it_always_does(tmp_path, name: str) -> None:
    fatal = getattr(signal, f"SIG{name}")
    child = foreground(tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)))
    assert f"SIG{name}" in end(child, fatal)
    assert child.returncode == -fatal


# --- sockets ------------------------------------------------------------------------------------------------------

def test_a_stale_socket_is_replaced_and_a_file_is_not(start, tmp_path) -> None:
    stale, file = tmp_path / "stale", tmp_path / "file"
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(stale))
    file.write_text("somebody's")
    program: Program = start(["-l", "127.0.0.1", "-s", f"cunix:{stale}"])
    other = clients.connect(socket.AF_UNIX, str(stale))
    assert other.ask("V") == program.client.ask("V")
    other.close()
    refused = run(["-f", *STARTS, "-p", "/dev/null", "-s", f"cunix:{file}"], tmp_path)
    assert refused.returncode == 1 and "not a socket" in refused.stderr
    assert file.read_text() == "somebody's"


@as_root
@pytest.mark.parametrize("options, mode", [(["-u", ":nogroup"], 0o755), (["-u", ":nogroup", "-w", "438"], 0o666)])
def test_a_group_owns_the_unix_socket_with_the_mode_that_is_named(start, options: list[str], mode: int) -> None:
    program: Program = start(["-l", "127.0.0.1", *options], "cunix")
    found = os.stat(program.path)
    assert stat.S_IMODE(found.st_mode) == mode
    assert found.st_gid == grp.getgrnam("nogroup").gr_gid


def test_a_wildcard_socket_answers_from_the_address_that_was_asked(start) -> None:
    program: Program = start(["-l", "127.0.0.1", "-s", "udp:*:0"])
    port = int(re.search(r"udp:0\.0\.0\.0:(\d+)", program.log.read_text())[1])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(2)
        for address in ("127.0.0.1", "127.0.0.5"):
            client.sendto(f"from_{address} V".encode(), (address, port))
            assert client.recvfrom(100) == (f"from_{address} 20040107\n".encode(), (address, port))


def test_the_end_of_stdin_is_not_the_end_beside_other_sockets(start, tmp_path) -> None:
    program: Program = start(["-l", "127.0.0.1", "-s", f"cunix:{tmp_path / 'second'}"], "stdio")
    assert program.client.ask("V") == ["20040107"]
    program.child.stdin.close()
    second = wait_for(lambda: clients.connect(socket.AF_UNIX, str(tmp_path / "second")), "the second socket")
    for number in range(20):   # the end of input is seen somewhere among these
        assert second.ask(f"U c{number} 127.0.0.1 5000 f")[0].endswith(" 127.0.0.1")
        time.sleep(0.01)
    second.close()


def test_the_end_of_stdin_drains_beside_other_sockets_when_it_was_asked_to(start, tmp_path) -> None:
    program: Program = start(["-l", "127.0.0.1", "-s", f"cunix:{tmp_path / 'second'}"], "stdioc")
    second = wait_for(lambda: clients.connect(socket.AF_UNIX, str(tmp_path / "second")), "the second socket")
    port = second.ask("U c 127.0.0.1 5000 f")
    program.child.stdin.close()
    calls = (f"d{number}" for number in itertools.count())   # until the end has been seen, each try makes a session
    wait_for(lambda: second.ask(f"U {next(calls)} 127.0.0.1 5000 f") == ["E99"] or None, "E99")
    assert second.ask("U c 127.0.0.1 5000 f") == port
    assert second.ask("X") == ["0"]
    second.close()
    assert program.wait_for_end() == 0


# --- what the log says at the start -----------------------------------------------------------------------------

def test_the_start_recommends_safe_and_names_each_option_that_does_nothing_here_once(start, tmp_path) -> None:
    says = start(["-l", "127.0.0.1", "-r", str(tmp_path), "-P", "--config", "none", "--overload_prot"]).log.read_text()
    assert says.count("--set latching.policy=safe") == 1
    assert all(len(re.findall(rf"^WARN:GLOBAL:.*: {option}: ", says, re.MULTILINE)) == 1
               for option in ("-r", "-P", "--config", "--overload_prot")), says
    assert "latching.policy=safe" not in start(["-l", "127.0.0.1", "--set", "latching.policy=safe"]).log.read_text()


@as_root
def test_root_with_local_sockets_alone_is_warned(tmp_path) -> None:
    child = foreground(tmp_path, ["-l", "127.0.0.1"])
    assert "running as root" in end(child)
    assert child.returncode == 0


def test_lines_may_carry_a_time_that_counts_from_the_start(tmp_path) -> None:
    said = end(foreground(tmp_path, env={**os.environ, "RTPP_LOG_TFORM": "rel"}))
    assert re.match(r"00:00:0\d\.\d{3}/WARN:GLOBAL:\w+:\d+: ", said), said


def test_systemd_is_told_when_the_program_is_ready(tmp_path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(5)
        manager.bind(str(tmp_path / "notify"))
        child = foreground(tmp_path, env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")})
        try:
            assert b"READY=1" in manager.recv(1000)
        finally:
            end(child)
