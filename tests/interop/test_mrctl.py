"""mrctl against the running program: what an operator sees of a call, and what he can tell the daemon."""
from __future__ import annotations

import json
import subprocess

from program import PROGRAM, Program, wait_for
from test_media import Call, phone, rtp  # noqa: F401  (a fixture)

MRCTL = PROGRAM.with_name("mrctl")


def mrctl(program: Program, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([MRCTL, "--socket", program.folder / "admin", *words], text=True, capture_output=True, timeout=10)


def shown(program: Program, *words: str) -> str:
    done = mrctl(program, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_call_is_shown_with_addresses_history_counters_and_a_verdict(start, phone) -> None:  # noqa: F811
    program = start()
    call = Call(program, phone(), phone())
    call.x.rtp.sendto(rtp(1), call.to_x)
    call.y.rtp.recvfrom(2000)
    wait_for(lambda: "first packet" in shown(program, "call", "c") or "signalled address" in shown(program, "call", "c")
             or None, "the history")
    text = shown(program, "call", "c")
    assert f"{call.x.host}:{call.x.port}" in text and f"127.0.0.1:{call.to_x[1]}" in text
    assert "1 in, 1 relayed on" in text
    verdict = json.loads(shown(program, "--json", "call", "c"))["connections"][0]["verdict"]
    assert "callee" in verdict, "nothing came from the callee yet, and the verdict says so"
    call.y.rtp.sendto(rtp(1), call.to_y)
    call.x.rtp.recvfrom(2000)
    assert "media flows both ways" in shown(program, "calls")


def test_status_doctor_and_log_answer(start) -> None:
    program = start()
    assert "udp:127.0.0.1:" in shown(program, "status")
    assert "127.0.0.1 is an address of this host" in mrctl(program, "doctor").stdout
    shown(program, "log", "debug", "some-call")
    shown(program, "log", "default", "some-call")
    refused = mrctl(program, "log", "loud")
    assert refused.returncode == 1 and "debug, info, warning" in refused.stderr


def test_drain_lets_calls_go_on_and_ends_with_the_last(start, phone) -> None:  # noqa: F811
    program = start()
    call = Call(program, phone(), phone())
    assert "1 connections go on" in shown(program, "drain")
    assert call.client.ask("U another 127.0.0.1 4000 f") == ["E99"]
    call.x.rtp.sendto(rtp(1), call.to_x)
    assert call.y.rtp.recvfrom(2000)[0] == rtp(1)
    assert call.client.ask("D c f") == ["0"]
    assert program.wait_for_end() == 0


def test_what_is_not_there_is_said_in_a_sentence(start) -> None:
    program = start()
    ghost = mrctl(program, "call", "ghost")
    assert ghost.returncode == 1 and "there is no call 'ghost'" in ghost.stderr
    nobody = subprocess.run([MRCTL, "--socket", program.folder / "nobody", "status"], text=True, capture_output=True)
    assert nobody.returncode == 1 and "is the daemon running?" in nobody.stderr
    assert mrctl(program, "dance").returncode == 2
