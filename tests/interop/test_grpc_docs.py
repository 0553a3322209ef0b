"""Everything that docs/grpc.md prints is run as printed, but for the port; so are its two examples."""
from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from api import NODE, PROTO, documents, grpcurl, messages, node_modules
from media import rtp, udp
from program import ROOT, wait_for

P, _ = messages()
PAGE = (ROOT / "docs" / "grpc.md").read_text()
EXAMPLES = ROOT / "docs" / "examples"
DEADLINE_EXCEEDED = 64 + 4


def printed_commands() -> list[list[str]]:
    blocks = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return [shlex.split(line) for line in lines]


def test_the_page_prints_commands():
    commands = printed_commands()
    assert len(commands) >= 10 and all(words[0] == "grpcurl" for words in commands)
    methods = {word.rpartition("/")[2] for words in commands for word in words if "RtpProxy/" in word}
    assert methods >= {"CreateSession", "GetSessionStatus", "ListSessions", "DestroySession", "StreamSessionEvents"}


def test_what_the_page_prints_works_as_printed(millrace):
    daemon = millrace()
    instance = daemon.api().GetServerInfo(P.GetServerInfoRequest()).instance_id
    for words in printed_commands():
        words = [word.replace("127.0.0.1:50051", daemon.address).replace("INSTANCE", instance) for word in words[1:]]
        done = grpcurl(*words)
        streams = words[-1].endswith("StreamSessionEvents")   # which only its deadline ends
        assert done.returncode == (DEADLINE_EXCEEDED if streams else 0), f"{words}: {done.stdout}{done.stderr}"
        if streams:
            types = [event["eventType"] for event in documents(done.stdout)]
            assert types[:2] == ["SESSION_CREATED", "SESSION_UPDATED"]
        if words[-1] == "list":
            assert "rtpproxy.RtpProxy" in done.stdout.splitlines()


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection_speaks_both_of_its_versions(millrace, version):
    daemon = millrace()
    done = grpcurl("-plaintext", "--reflection", version, daemon.address, "list", "rtpproxy.RtpProxy")
    assert done.returncode == 0, done.stderr
    assert "rtpproxy.RtpProxy.CreateSession" in done.stdout.splitlines()


def run_example(command: list[str], folder: Path, environment: dict[str, str], name: str) -> None:
    """Sends one packet through the session that the example makes, presses Enter, and reads what it says."""
    far, client = udp(), udp()
    words = [*command, "127.0.0.1", str(far.getsockname()[1])]
    with subprocess.Popen(words, cwd=folder, env=os.environ | environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as child:
        try:
            said: list[str] = []
            while not said or not said[-1].startswith("send RTP to"):
                line = child.stdout.readline()
                assert line, "".join(said)
                said.append(line)
            host, _, port = said[-1].split()[-1].rpartition(":")
            client.sendto(rtp(0), (host, int(port)))
            assert far.recv(2000) == rtp(0)
            child.stdin.write("\n")
            child.stdin.close()
            said += child.stdout   # not communicate(): it knows nothing of what readline() has read ahead
            child.wait(timeout=15)
        finally:
            child.kill()
    text = "".join(said)
    assert child.returncode == 0, text
    assert "1 packets in, 1 out" in text and "created" in text and "closed" in text, f"{name}: {text}"
    far.close()
    client.close()


def test_the_python_example(millrace, tmp_path):
    subprocess.run(["protoc", f"-I{PROTO.parent}", f"--python_out={tmp_path}", f"--grpc_out={tmp_path}",
                    "--plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin", PROTO.name], check=True)
    run_example([sys.executable, str(EXAMPLES / "session.py"), millrace().address], tmp_path,
                {"PYTHONPATH": str(tmp_path)}, "python")


def test_the_node_example(millrace):
    home = node_modules()
    (home / "session.mjs").write_text((EXAMPLES / "session.mjs").read_text())
    run_example(["node", "session.mjs", millrace().address], home, {}, "node")


def test_the_contract_works_through_reflection_alone(millrace):
    """The five calls of the contract, from grpc-js, in one script without a proto file."""
    daemon = millrace()
    home = node_modules()
    script = home / "contract.mjs"
    script.write_text((NODE / "contract.mjs").read_text())
    done = subprocess.run(["node", str(script), daemon.address], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == ["CreateSession", "GetSessionStatus", "ListSessions", "StreamSessionEvents",
                                   "DestroySession", "NOT_FOUND"]
    wait_for(lambda: daemon.mrctl("calls")["calls"] == [] or None, "nothing to be left")
