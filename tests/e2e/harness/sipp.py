"""sipp as caller and callee. A scenario is a list of steps, so that a test shows its call flow; the XML that sipp
reads is made from it. Ports of the media endpoints come from an injection file: field0 audio, field1 video, and so on.

Whenever a party receives SDP it writes a line `media CALL-ID LOCAL-PORT ADDRESS PORT` to its log; calls.py reads it."""
from __future__ import annotations

import pathlib
import re
from typing import Sequence

from .process import Process, free_port

Step = str

HEADERS_OF_CALLER = """\
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch{older}]
From: <sip:caller@[local_ip]:[local_port]>;tag=[pid]A[call_number]
To: <sip:callee@[remote_ip]:[remote_port]>{to_tag}
Call-ID: [call_id]
CSeq: {cseq} {method}
Contact: <sip:caller@[local_ip]:[local_port]>
Max-Forwards: 70
{extra}"""

HEADERS_OF_ANSWER = """\
[last_Via:]
[last_From:]
[last_To:]{to_tag}
[last_Call-ID:]
[last_CSeq:]
[last_Record-Route:]
Contact: <sip:callee@[local_ip]:[local_port]>
"""

HEADERS_OF_CALLEE = """\
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:callee@[remote_ip]:[remote_port]>{own_tag}
To: [$peer]
Call-ID: [call_id]
CSeq: {cseq} {method}
Contact: <sip:callee@[local_ip]:[local_port]>
Max-Forwards: 70
[routes]
"""

# CANCEL and the ACK for a refusal carry the branch of the INVITE. sipp can only say "the branch of so many steps ago".
SAME_AS_INVITE = "-STEPS_SINCE_INVITE"

CALLEE_TAG = ";tag=[pid]B[call_number]"


def sdp(ports: Sequence[str] = ("[field0]",), address: str = "[media_ip]", direction: str = "sendrecv") -> str:
    """One audio stream, and a video stream for each further port."""
    lines = ["v=0", "o=- 1 1 IN IP[media_ip_type] [media_ip]", "s=-", f"c=IN IP[media_ip_type] {address}", "t=0 0"]
    for number, port in enumerate(ports):
        kind, payload, name = ("video", 96, "H264/90000") if number else ("audio", 0, "PCMU/8000")
        lines += [f"m={kind} {port} RTP/AVP {payload}", f"a=rtpmap:{payload} {name}", f"a={direction}"]
    return "\n".join(lines) + "\n"


def _message(start: str, headers: str, body: str) -> str:
    """sipp drops the line of a keyword that stands for nothing, such as [routes] without a route."""
    content = "Content-Type: application/sdp\n" if body else ""
    text = f"{start}\n{headers.rstrip()}\n{content}Content-Length: [len]\n\n{body}"
    return f"<![CDATA[\n{text}\n]]>"


def _note_media(ports: Sequence[str]) -> str:
    """Logs where the media of each own port must go, as the SDP just received says."""
    actions = ['<ereg regexp="c=IN IP[46] ([0-9a-fA-F.:]+)" search_in="body" check_it="true" assign_to="c,ip"/>']
    for number, port in enumerate(ports):
        kind = "video" if number else "audio"
        actions += [
            f'<ereg regexp="m={kind} ([0-9]+)" search_in="body" check_it="true" assign_to="m{number},port{number}"/>',
            f'<log message="media [call_id] {port} [$ip] [$port{number}]"/>']
    return "<action>" + "".join(actions) + "</action>"


# Steps of the caller.

def _request(method: str, cseq: int, body: str = "", extra: str = "", start: str = "[next_url]",
             to_tag: str = "[peer_tag_param]") -> Step:
    headers = HEADERS_OF_CALLER.format(method=method, cseq=cseq, extra=extra, to_tag=to_tag, older="")
    retransmit = "" if method == "ACK" else ' retrans="500"'
    return f"<send{retransmit}>{_message(f'{method} {start} SIP/2.0', headers, body)}</send>"


def invite(body: str | None = None) -> Step:
    callee = "sip:callee@[remote_ip]:[remote_port]"
    return _request("INVITE", 1, sdp() if body is None else body, start=callee, to_tag="")


def reinvite(body: str, cseq: int) -> Step:
    return _request("INVITE", cseq, body, "[routes]\n")


def ack(cseq: int = 1) -> Step:
    return _request("ACK", cseq, extra="[routes]\n")


def bye(cseq: int = 20) -> Step:
    return _request("BYE", cseq, extra="[routes]\n") + expect(200)


def cancel() -> Step:
    headers = HEADERS_OF_CALLER.format(method="CANCEL", cseq=1, extra="", to_tag="", older=SAME_AS_INVITE)
    withdrawn = _message("CANCEL sip:callee@[remote_ip]:[remote_port] SIP/2.0", headers, "")
    return f"<send>{withdrawn}</send>" + expect(200) + "".join(refused(487))


def refused(status: int) -> list[Step]:
    """The final answer is no, and its ACK belongs to the same transaction."""
    headers = HEADERS_OF_CALLER.format(method="ACK", cseq=1, extra="", to_tag="[peer_tag_param]", older=SAME_AS_INVITE)
    understood = _message("ACK sip:callee@[remote_ip]:[remote_port] SIP/2.0", headers, "")
    return [expect(status), f"<send>{understood}</send>"]


def expect(status: int, note: Sequence[str] = ()) -> Step:
    """A final or reliable answer; `note` names the own ports whose media the SDP in it is about."""
    action = _note_media(note) if note else ""
    return f'<recv response="{status}" rrs="true">{action}</recv>'


def trying() -> Step:
    return '<recv response="100" optional="true"/>'


def ringing() -> Step:
    """A callee that answers at once may do without."""
    return '<recv response="180" optional="true"/>'


def pause(seconds: float) -> Step:
    """How long the parties talk, or how long a telephone rings: a length of the call, not a way to wait for others."""
    return f'<pause milliseconds="{int(seconds * 1000)}"/>'


# Steps of the callee.

def offered(note: Sequence[str] = ("[field0]",)) -> Step:
    return f'<recv request="INVITE" rrs="true">{_note_media(note)}</recv>'


def offered_first() -> Step:
    """As `offered`, for a callee that is going to send requests of its own: it keeps the caller's name and tag."""
    peer = '<ereg regexp=".+" search_in="hdr" header="From:" check_it="true" assign_to="peer"/></action>'
    return offered().replace("</action>", peer)


def from_callee(method: str, cseq: int, body: str = "") -> Step:
    headers = HEADERS_OF_CALLEE.format(own_tag=CALLEE_TAG, method=method, cseq=cseq)
    retransmit = "" if method == "ACK" else ' retrans="500"'
    return f"<send{retransmit}>{_message(f'{method} [next_url] SIP/2.0', headers, body)}</send>"


def answer(status: str, body: str | None = None, within_dialog: bool = False) -> Step:
    headers = HEADERS_OF_ANSWER.format(to_tag="" if within_dialog else CALLEE_TAG)
    reliable = ' retrans="500"' if not status.startswith("1") else ""
    return f"<send{reliable}>{_message(f'SIP/2.0 {status}', headers, body or '')}</send>"


def confirmed() -> Step:
    return '<recv request="ACK"/>'


def hung_up() -> Step:
    headers = HEADERS_OF_ANSWER.format(to_tag="")
    return f'<recv request="BYE"/><send>{_message("SIP/2.0 200 OK", headers, "")}</send>'


def cancelled() -> Step:
    """200 for the CANCEL, then 487 for the INVITE, whose CSeq differs."""
    headers = HEADERS_OF_ANSWER.format(to_tag=CALLEE_TAG)
    refusal = headers.replace("[last_CSeq:]", "CSeq: 1 INVITE")
    return ('<recv request="CANCEL"/>' + f'<send>{_message("SIP/2.0 200 OK", headers, "")}</send>'
            + f'<send retrans="500">{_message("SIP/2.0 487 Request Terminated", refusal, "")}</send>' + confirmed())


def registration() -> list[Step]:
    headers = """\
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:callee@[remote_ip]>;tag=[pid]R[call_number]
To: <sip:callee@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 REGISTER
Contact: <sip:callee@[local_ip]:[local_port]>
Expires: 600
Max-Forwards: 70
"""
    return [f'<send retrans="500">{_message("REGISTER sip:[remote_ip] SIP/2.0", headers, "")}</send>', expect(200)]


# The commonest call.

def simple_call(seconds: float, ports: Sequence[str] = ("[field0]",)) -> list[Step]:
    return [invite(sdp(ports)), trying(), ringing(), expect(200, note=ports), ack(), pause(seconds), bye()]


def simple_callee(ports: Sequence[str] = ("[field0]",)) -> list[Step]:
    return [offered(ports), answer("180 Ringing"), answer("200 OK", sdp(ports)), confirmed(), hung_up()]


def _xml(name: str, steps: Sequence[Step]) -> str:
    elements = re.split(r"(?=<(?:send|recv|pause)\b)", "".join(steps))[1:]  # the INVITE is the first
    body = "\n".join(one.replace(SAME_AS_INVITE, f"-{number}") for number, one in enumerate(elements))
    # sipp refuses a variable that is only ever written; these hold the part of a match that nobody needs.
    unused = ",".join(f"m{n}" for n in range(8) if f"assign_to=\"m{n}," in body)
    reference = f'<Reference variables="c,{unused}"/>' if unused else ""
    return f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<scenario name="{name}">\n{body}\n{reference}</scenario>\n'


class Sipp:
    """One running sipp: `calls` calls of one scenario, then it ends by itself."""

    def __init__(self, name: str, steps: Sequence[Step], folder: pathlib.Path, *, host: str, server: str,
                 ports: Sequence[Sequence[int]] = (), calls: int = 1, rate: int = 10, port: int | None = None,
                 netns: str | None = None):
        self.port = free_port(host=host) if port is None else port
        self.media_log = folder / f"{name}.media"
        self.media_log.touch()
        scenario, table = folder / f"{name}.xml", folder / f"{name}.csv"
        scenario.write_text(_xml(name, steps))
        rows = ports or [(9,)] * calls
        table.write_text("SEQUENTIAL\n" + "".join(";".join(map(str, row)) + ";\n" for row in rows))
        argv = ["sipp", server, "-sf", str(scenario), "-inf", str(table), "-i", host, "-mi", host, "-p", str(self.port),
                "-m", str(calls), "-l", str(max(calls, 1)), "-r", str(rate), "-cid_str", f"{name}-%u-%p",
                "-trace_logs", "-log_file", str(self.media_log), "-trace_err",
                "-error_file", str(folder / f"{name}.errors"), "-trace_screen", "-screen_file",
                str(folder / f"{name}.screen"), "-nostdin", "-timeout", "60", "-timeout_error", "-skip_rlimit"]
        self.process = Process(name, argv, folder, netns)
        self._folder, self._name = folder, name

    def succeed(self, seconds: float = 30.0) -> None:
        """Waits for the end: every call went as the scenario says."""
        status = self.process.wait(seconds)
        assert status == 0, f"sipp {self._name} ended with {status}:\n{self.complaint()}"

    def complaint(self) -> str:
        errors = self._folder / f"{self._name}.errors"
        return (errors.read_text(errors="replace") if errors.exists() else "") + self.process.log()[-3000:]
