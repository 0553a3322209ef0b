"""Who may do what over gRPC: tokens, roles, TLS, certificates, networks, quotas, and the record of it."""
from __future__ import annotations

import hashlib
import json
import signal
import subprocess
from pathlib import Path

import grpc
import pytest

from api import messages, refused
from program import wait_for
from test_grpc_contract import endpoint, request, status_of

P, _ = messages()
TOKENS = {"viewer": "view-secret", "operator": "operate-secret", "admin": "admin-secret"}


def with_token(token: str) -> dict:
    return {"metadata": [("authorization", f"Bearer {token}")]}


def settings_file(folder: Path, text: str = "") -> Path:
    """One identity a role."""
    lines = [text]
    for role, token in TOKENS.items():
        lines.append(f'[[identity]]\nname = "the-{role}"\nrole = "{role}"\n'
                     f'token_sha256 = "{hashlib.sha256(token.encode()).hexdigest()}"\n')
    path = folder / "millrace.toml"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def guarded(millrace, tmp_path):
    def start(*settings: str, text: str = "", **options):
        return millrace(*settings, config=settings_file(tmp_path, text), **options)
    return start


def test_roles_may_what_they_may(guarded):
    api = guarded().api()
    create = lambda **extra: api.CreateSession(request(), **extra)  # noqa: E731
    listing = lambda **extra: api.ListSessions(P.ListSessionsRequest(), **extra)  # noqa: E731
    drain = lambda **extra: api.DrainServer(P.DrainServerRequest(), **extra)  # noqa: E731
    for call in (create, listing, drain):
        assert status_of(call)[0] == grpc.StatusCode.UNAUTHENTICATED
        assert status_of(lambda: call(**with_token("wrong")))[0] == grpc.StatusCode.UNAUTHENTICATED
    assert listing(**with_token(TOKENS["viewer"])).total_count == 0
    code, text = status_of(lambda: create(**with_token(TOKENS["viewer"])))
    assert code == grpc.StatusCode.PERMISSION_DENIED and "operator" in text
    assert create(**with_token(TOKENS["operator"])).session_id
    assert status_of(lambda: drain(**with_token(TOKENS["operator"])))[0] == grpc.StatusCode.PERMISSION_DENIED
    owners = [each.owner for each in listing(**with_token(TOKENS["admin"])).sessions]
    assert owners == ["the-operator"]
    assert drain(**with_token(TOKENS["admin"])).connections == 1


def test_a_token_is_taken_back_by_a_reload(guarded, tmp_path):
    daemon = guarded()
    api = daemon.api()
    listing = lambda: api.ListSessions(P.ListSessionsRequest(), **with_token(TOKENS["viewer"]))  # noqa: E731
    assert listing().total_count == 0
    config = tmp_path / "millrace.toml"
    config.write_text(config.read_text().replace(hashlib.sha256(TOKENS["viewer"].encode()).hexdigest(), "0" * 64))
    daemon.child.send_signal(signal.SIGHUP)

    def refused_now():
        try:
            listing()
        except grpc.RpcError as error:
            return error.code()
        return None
    assert wait_for(refused_now, "the token to be refused") == grpc.StatusCode.UNAUTHENTICATED


def watched_again(watch) -> bytes | None:
    try:
        return next(watch(b""))
    except grpc.RpcError:
        return None


def test_health_alone_answers_without_a_token(guarded):
    daemon = guarded()
    health = daemon.channel().unary_unary("/grpc.health.v1.Health/Check")
    assert health(b"") == b"\x08\x01"                                  # SERVING
    assert health(b"\x0a\x11rtpproxy.RtpProxy") == b"\x08\x01"
    watch = daemon.channel().unary_stream("/grpc.health.v1.Health/Watch")
    watching = [watch(b"") for _ in range(128)]
    assert {next(one) for one in watching} == {b"\x08\x01"}
    assert status_of(lambda: next(watch(b"")))[0] == grpc.StatusCode.RESOURCE_EXHAUSTED   # a stranger may not watch for ever
    assert health(b"") == b"\x08\x01"
    watching[0].cancel()
    wait_for(lambda: watched_again(watch), "the place of one that left")
    for version in ("v1", "v1alpha"):
        reflect = daemon.channel().stream_stream(f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo")
        list_services = b"\x3a\x01*"
        assert status_of(lambda: list(reflect(iter([list_services]))))[0] == grpc.StatusCode.UNAUTHENTICATED
        answers = list(reflect(iter([list_services]), **with_token(TOKENS["viewer"])))
        assert b"rtpproxy.RtpProxy" in answers[0] and b"grpc.health.v1.Health" in answers[0]


def test_a_listener_beyond_loopback_needs_somebody_to_be_told_apart(tmp_path, guarded):
    said = refused(tmp_path, "grpc.listen=0.0.0.0:0")
    assert "grpc.listen" in said and "grpc.insecure" in said
    daemon = guarded(listen="0.0.0.0:0")                # tokens: allowed, with a warning
    assert "TLS" in daemon.log.read_text()


def test_a_listener_that_is_told_to_be_insecure_is(millrace):
    millrace("grpc.insecure=true", listen="0.0.0.0:0")


# --- TLS --------------------------------------------------------------------------------------------------------------


class Authority:
    """A certificate authority in a folder."""

    def __init__(self, folder: Path, name: str = "authority"):
        self.folder, self.name = folder, name
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                 f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")

    def run(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def issue(self, name: str, alternative: str, days: str = "2") -> tuple[bytes, bytes]:
        """(certificate, key) of NAME.pem, NAME.key; negative days: it has expired."""
        self.run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout",
                 f"{name}.key", "-out", f"{name}.csr")
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={alternative}\n")
        self.run("x509", "-req", "-in", f"{name}.csr", "-CA", f"{self.name}.pem", "-CAkey", f"{self.name}.key",
                 "-CAcreateserial", "-days", days, "-extfile", f"{name}.ext", "-out", f"{name}.pem")
        return self.file(f"{name}.pem"), self.file(f"{name}.key")

    def file(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    @property
    def certificate(self) -> bytes:
        return self.file(f"{self.name}.pem")


@pytest.fixture
def authority(tmp_path) -> Authority:
    one = Authority(tmp_path)
    one.issue("server", "DNS:localhost,IP:127.0.0.1")
    return one


def tls(folder: Path, *more: str) -> list[str]:
    return [f"grpc.tls_certificate={folder / 'server.pem'}", f"grpc.tls_key={folder / 'server.key'}", *more]


def list_over(address: str, root: bytes, key: bytes | None = None, certificate: bytes | None = None, token: str = "",
              name: str = ""):
    options = [("grpc.ssl_target_name_override", name)] if name else []
    with grpc.secure_channel(address, grpc.ssl_channel_credentials(root, key, certificate), options) as channel:
        return messages()[1].RtpProxyStub(channel).ListSessions(P.ListSessionsRequest(), timeout=5,
                                                                **(with_token(token) if token else {}))


def unavailable(**how) -> bool:
    return status_of(lambda: list_over(**how))[0] in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def test_tls_with_tokens(guarded, authority, tmp_path):
    daemon = guarded(*tls(tmp_path))
    good = {"address": daemon.address, "root": authority.certificate}
    assert list_over(**good, token=TOKENS["viewer"]).total_count == 0
    assert status_of(lambda: list_over(**good))[0] == grpc.StatusCode.UNAUTHENTICATED
    other = Authority(tmp_path, "somebody-else")
    assert unavailable(address=daemon.address, root=other.certificate, token=TOKENS["viewer"])
    assert unavailable(**good, token=TOKENS["viewer"], name="not.the.server")


def test_client_certificates(guarded, authority, tmp_path):
    text = '[[identity]]\nname = "desk"\nrole = "viewer"\ncertificate = "desk.example"\n'
    daemon = guarded(*tls(tmp_path, f"grpc.tls_client_ca={tmp_path / 'authority.pem'}", "security.certificate_role=none"),
                     text=text)
    good = {"address": daemon.address, "root": authority.certificate}
    certificate, key = authority.issue("desk", "DNS:desk.example")
    assert list_over(**good, key=key, certificate=certificate).total_count == 0
    assert unavailable(**good), "no client certificate"
    expired, expired_key = authority.issue("old", "DNS:desk.example", days="-1")
    assert unavailable(**good, key=expired_key, certificate=expired)
    stranger = Authority(tmp_path, "somebody-else")
    forged, forged_key = stranger.issue("forged", "DNS:desk.example")
    assert unavailable(**good, key=forged_key, certificate=forged)
    unnamed, unnamed_key = authority.issue("unnamed", "DNS:other.example")
    assert status_of(lambda: list_over(**good, key=unnamed_key, certificate=unnamed))[0] \
        == grpc.StatusCode.UNAUTHENTICATED


def test_certificates_are_read_again_when_the_files_change(guarded, authority, tmp_path):
    daemon = guarded(*tls(tmp_path))
    fresh = Authority(tmp_path, "fresh")
    fresh.issue("server-2", "DNS:localhost,IP:127.0.0.1")
    for kind in ("key", "pem"):
        (tmp_path / f"server-2.{kind}").rename(tmp_path / f"server.{kind}")

    def renewed():
        try:
            return list_over(address=daemon.address, root=fresh.certificate, token=TOKENS["viewer"])
        except grpc.RpcError:
            return None
    wait_for(renewed, "the new certificate", seconds=15)


def test_health_has_a_plain_port_of_its_own_with_tls(guarded, authority, tmp_path):
    daemon = guarded(*tls(tmp_path, "grpc.health_listen=127.0.0.1:0"))
    import re
    port = re.search(r"grpc-health:127\.0\.0\.1:(\d+)", daemon.log.read_text())[1]
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=5) == b"\x08\x01"
        with pytest.raises(grpc.RpcError) as refusal:
            messages()[1].RtpProxyStub(channel).ListSessions(P.ListSessionsRequest(), timeout=5)
        assert refusal.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_certificates_that_cannot_be_used_end_the_start(tmp_path, authority):
    said = refused(tmp_path, "grpc.listen=127.0.0.1:0", f"grpc.tls_certificate={tmp_path / 'none.pem'}",
                   f"grpc.tls_key={tmp_path / 'server.key'}")
    assert "grpc.tls_certificate" in said and "none.pem" in said
    authority.issue("other", "DNS:localhost")
    said = refused(tmp_path, "grpc.listen=127.0.0.1:0", f"grpc.tls_certificate={tmp_path / 'server.pem'}",
                   f"grpc.tls_key={tmp_path / 'other.key'}")
    assert "grpc.tls_key" in said


# --- what may be named, how much, and who did it ----------------------------------------------------------------------


def test_destinations_that_are_dangerous_are_refused(millrace):
    api = millrace().api()
    for address in ("169.254.169.254", "224.0.0.1", "255.255.255.255", "0.0.0.0"):
        code, text = status_of(lambda: api.CreateSession(request(destination_endpoint=endpoint(address, 4000))))
        assert code in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INVALID_ARGUMENT)
        assert address in text and "destination_endpoint" in text
    closed = millrace('security.deny_destinations=["127.0.0.0/8"]').api()
    assert status_of(lambda: closed.CreateSession(request()))[0] == grpc.StatusCode.PERMISSION_DENIED
    elsewhere = millrace('security.listen_addresses=["127.0.0.2"]').api()
    assert status_of(lambda: elsewhere.CreateSession(request()))[0] == grpc.StatusCode.PERMISSION_DENIED
    assert elsewhere.CreateSession(request(listen_endpoint=endpoint("127.0.0.2"),
                                           forward_endpoint=endpoint("127.0.0.2"))).session_id


def test_peers_that_are_not_on_the_list_are_refused(millrace):
    api = millrace('security.peers=["192.0.2.0/24"]').api()
    assert status_of(lambda: api.ListSessions(P.ListSessionsRequest()))[0] == grpc.StatusCode.PERMISSION_DENIED


def test_one_identity_can_be_limited(guarded):
    daemon = guarded("session.max_connections_per_owner=1", "quota.commands_per_second=20")
    api = daemon.api()
    operator = with_token(TOKENS["operator"])
    assert api.CreateSession(request(), **operator).session_id
    assert status_of(lambda: api.CreateSession(request(), **operator))[0] == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert api.CreateSession(request(), **with_token(TOKENS["admin"])).session_id
    codes = set()
    for _ in range(60):
        try:
            api.ListSessions(P.ListSessionsRequest(), **operator)
        except grpc.RpcError as error:
            codes.add(error.code())
    assert codes == {grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert api.ListSessions(P.ListSessionsRequest(), **with_token(TOKENS["viewer"])).total_count == 2


def lines_of(path: Path, count: int) -> list[dict]:
    def there():
        lines = path.read_text().splitlines() if path.exists() else []
        return lines if len(lines) >= count else None
    return [json.loads(line) for line in wait_for(there, f"{count} audit lines")]


def test_every_change_and_every_refusal_is_recorded_without_a_secret(guarded, tmp_path):
    log = tmp_path / "audit.jsonl"
    daemon = guarded(f"audit.file={log}")
    api = daemon.api()
    api.CreateSession(request(session_id="a1"), **with_token(TOKENS["operator"]))
    api.ListSessions(P.ListSessionsRequest(), **with_token(TOKENS["viewer"]))      # sees only: no line
    status_of(lambda: api.CreateSession(request(session_id="a1"), **with_token(TOKENS["operator"])))
    status_of(lambda: api.CreateSession(request(session_id="a2"), **with_token(TOKENS["viewer"])))
    status_of(lambda: api.DestroySession(P.DestroySessionRequest(session_id="a1"), **with_token("a-wrong-secret")))
    api.DestroySession(P.DestroySessionRequest(session_id="a1"), **with_token(TOKENS["admin"]))
    entries = lines_of(log, 5)
    assert [(entry["identity"], entry["command"], entry.get("session"), entry["result"]) for entry in entries] == [
        ("the-operator", "CreateSession", "a1", "OK"),
        ("the-operator", "CreateSession", "a1", "ALREADY_EXISTS"),
        ("the-viewer", "CreateSession", "a2", "PERMISSION_DENIED"),
        ("", "DestroySession", None, "UNAUTHENTICATED"),
        ("the-admin", "DestroySession", "a1", "OK")]
    assert all(entry["peer"].startswith("127.0.0.1:") and entry["time"].endswith("Z") for entry in entries)
    everything = log.read_text() + daemon.log.read_text()
    assert not any(secret in everything for secret in [*TOKENS.values(), "a-wrong-secret"])


def test_a_required_audit_log_that_cannot_be_written_refuses_commands(millrace, tmp_path):
    folder = tmp_path / "audit"
    folder.mkdir()
    daemon = millrace(f"audit.file={folder / 'log'}", "audit.required=true", "audit.rotate_size=4KiB")
    api = daemon.api()
    api.CreateSession(request())
    lines_of(folder / "log", 1)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()

    def refused_now():
        try:
            api.DestroySession(P.DestroySessionRequest(session_id=api.CreateSession(request()).session_id))
        except grpc.RpcError as error:
            return error
        return None
    error = wait_for(refused_now, "commands to be refused")
    assert error.code() == grpc.StatusCode.UNAVAILABLE and "audit" in error.details()
    assert api.ListSessions(P.ListSessionsRequest()).total_count >= 1   # seeing goes on
    folder.mkdir()
    wait_for(lambda: None if refused_now() else True, "commands to be taken again")
    assert "audit" in daemon.log.read_text()


def test_commands_of_the_text_protocol_are_recorded_too(millrace, tmp_path):
    import clients
    log = tmp_path / "audit.jsonl"
    daemon = millrace(f"audit.file={log}")
    text = clients.Datagrams("127.0.0.1", daemon.text_port)
    text.ask("U call-1 127.0.0.1 4000 tag-a")
    text.ask("D call-2 tag-a")
    text.close()
    entries = lines_of(log, 2)
    assert [(entry["protocol"], entry["command"], entry["session"]) for entry in entries] == [
        ("rtpproxy", "U", "call-1"), ("rtpproxy", "D", "call-2")]
    assert entries[0]["result"] == "OK" and entries[1]["result"] == "E50"
    assert entries[0]["peer"].startswith("127.0.0.1:")
