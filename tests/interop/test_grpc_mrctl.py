"""mrctl over the gRPC API: the same questions from any machine, and events as they happen."""
from __future__ import annotations

import hashlib
import json
import os
import subprocess
import threading

from api import BIN, documents, messages
from media import rtp, udp
from program import wait_for
from test_grpc_contract import endpoint, request

P, _ = messages()


def mrctl(daemon, *words: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(BIN / "mrctl"), "--grpc", daemon.address, *words], capture_output=True, text=True,
                          timeout=15, check=False, env=os.environ | environment)


def test_the_same_questions(millrace):
    daemon = millrace()
    api = daemon.api()
    far, client = udp(), udp()
    made = api.CreateSession(request(session_id="desk", labels={"tenant": "blue"},
                                     destination_endpoint=endpoint(port=far.getsockname()[1])))
    client.sendto(rtp(0), ("127.0.0.1", made.listen_endpoint.port))
    far.recv(2000)
    status = mrctl(daemon, "status")
    assert status.returncode == 0 and "1 sessions" in status.stdout and "engine socket" in status.stdout
    calls = mrctl(daemon, "calls")
    assert "desk" in calls.stdout and "active" in calls.stdout and "1 of 1" in calls.stdout
    assert "desk" not in mrctl(daemon, "calls", "--contains", "nothing").stdout
    call = mrctl(daemon, "call", "desk")
    assert "tenant = blue" in call.stdout and "1 packets" in call.stdout
    assert json.loads(mrctl(daemon, "--json", "call", "desk").stdout)["session"]["session_id"] == "desk"
    unknown = mrctl(daemon, "call", "nobody")
    assert unknown.returncode == 1 and "nobody" in unknown.stderr
    assert mrctl(daemon, "doctor").returncode == 2
    api.DestroySession(P.DestroySessionRequest(session_id="desk"))
    assert "0 connections" in mrctl(daemon, "drain").stdout
    assert daemon.child.wait(timeout=5) == 0
    far.close()
    client.close()


def test_events_line_by_line(millrace):
    daemon = millrace()
    api = daemon.api()
    result: dict = {}
    watcher = threading.Thread(target=lambda: result.update(done=mrctl(daemon, "--json", "watch", "--count", "2")))
    watcher.start()
    wait_for(lambda: api.GetServerInfo(P.GetServerInfoRequest()).event_streams == 1 or None, "the watcher")
    api.CreateSession(request(session_id="seen"))
    api.DestroySession(P.DestroySessionRequest(session_id="seen"))
    watcher.join()
    assert [event["event_type"] for event in documents(result["done"].stdout)] == ["SESSION_CREATED", "SESSION_CLOSED"]


def test_watching_goes_on_when_a_node_that_was_silent_comes_back(millrace):
    daemon = millrace()
    result: dict = {}
    watcher = threading.Thread(target=lambda: result.update(done=mrctl(daemon, "--json", "watch", "--count", "1")))
    watcher.start()
    api = daemon.api()
    wait_for(lambda: api.GetServerInfo(P.GetServerInfoRequest()).event_streams == 1 or None, "the watcher")
    daemon.child.terminate()
    assert daemon.child.wait(timeout=10) == 0
    api = millrace(listen=daemon.address).api()
    wait_for(lambda: api.GetServerInfo(P.GetServerInfoRequest()).event_streams == 1 or None, "the watcher again", 12)
    api.CreateSession(request(session_id="later"))
    watcher.join()
    assert [event["session"]["session_id"] for event in documents(result["done"].stdout)] == ["later"]
    assert "the node is gone; trying again" in result["done"].stderr


def test_tokens_come_from_the_command_line_the_environment_or_a_file(millrace, tmp_path):
    config = tmp_path / "millrace.toml"
    config.write_text(f'[[identity]]\nname = "desk"\ntoken_sha256 = "{hashlib.sha256(b"secret").hexdigest()}"\n')
    daemon = millrace(config=config)
    (tmp_path / "token").write_text("secret\n")
    refused = mrctl(daemon, "status")
    assert refused.returncode == 1 and refused.stderr.startswith("mrctl: ")
    assert mrctl(daemon, "--token", "secret", "status").returncode == 0
    assert mrctl(daemon, "status", MILLRACE_TOKEN="secret").returncode == 0
    assert mrctl(daemon, "--token-file", str(tmp_path / "token"), "status").returncode == 0
    gone = subprocess.run([str(BIN / "mrctl"), "--grpc", "127.0.0.1:1", "status"], capture_output=True, text=True,
                          timeout=15, check=False)
    assert gone.returncode == 1 and "does not answer" in gone.stderr
