"""A small internet of network namespaces, made for one test and removed after it:

    caller ── router A ══ public ══ router B ── callee
    10.0.1.2  masquerade  192.0.2.10  masquerade  10.0.2.2

Kamailio and the relay live at 192.0.2.10. The routers let in only answers to what went out, from exactly the address
and port it went to (a port-restricted NAT); with `random_ports` they also choose a new source port for each
destination."""
from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import shutil
import subprocess
from typing import Iterator

SERVER = "192.0.2.10"
CALLER, CALLEE = "10.0.1.2", "10.0.2.2"
PUBLIC_OF_CALLER, PUBLIC_OF_CALLEE = "198.51.100.2", "203.0.113.2"
CLONE_NEWNET = 0x40000000

RULES = """
table ip nat {{
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    oifname "wan" masquerade {flags}
  }}
}}
table ip filter {{
  chain forward {{
    type filter hook forward priority filter; policy drop;
    iifname "lan" accept
    ct state established,related accept
  }}
  chain input {{
    type filter hook input priority filter; policy drop;
  }}
}}
"""


def unavailable() -> str | None:
    """Why namespaces cannot be made here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program in ("ip", "nft"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    probe = f"mr{os.getpid()}probe"
    try:
        run("ip", "netns", "add", probe)
        run("ip", "netns", "exec", probe, "nft", "add table ip probe")
    except RuntimeError as error:
        return str(error)
    finally:
        subprocess.run(["ip", "netns", "del", probe], capture_output=True, check=False)
    return None


def run(*argv: str, text: str | None = None) -> None:
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr.strip()}")


class Internet:
    """The namespaces exist from construction to `remove`, and none is left when the construction fails."""

    def __init__(self, number: int, random_ports: bool):
        prefix = f"mr{os.getpid()}-{number}-"
        self.public, self.router_a, self.router_b, self.caller, self.callee = (
            prefix + name for name in ("public", "nata", "natb", "caller", "callee"))
        self._random_ports = random_ports
        try:
            self._build()
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        for name in self._all():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

    def _all(self) -> tuple[str, ...]:
        return self.public, self.router_a, self.router_b, self.caller, self.callee

    def _build(self) -> None:
        for name in self._all():
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "-n", self.public, "addr", "add", f"{SERVER}/32", "dev", "lo")
        self._household(self.router_a, self.caller, "a", "10.0.1", "198.51.100")
        self._household(self.router_b, self.callee, "b", "10.0.2", "203.0.113")

    def _household(self, router: str, phone: str, letter: str, inside: str, outside: str) -> None:
        cable((self.public, f"to-{letter}", f"{outside}.1/24"), (router, "wan", f"{outside}.2/24"))
        cable((router, "lan", f"{inside}.1/24"), (phone, "eth0", f"{inside}.2/24"))
        run("ip", "-n", router, "route", "add", "default", "via", f"{outside}.1")
        run("ip", "-n", phone, "route", "add", "default", "via", f"{inside}.1")
        run("ip", "netns", "exec", router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        flags = "fully-random" if self._random_ports else ""
        run("ip", "netns", "exec", router, "nft", "-f", "-", text=RULES.format(flags=flags))


class TwoNetworks:
    """A node with a leg in each of two networks that know nothing of one another:

        client ── 10.7.1.0/24 ── node ── 10.7.2.0/24 ── far
        10.7.1.2            10.7.1.1  10.7.2.1     10.7.2.2
    """

    def __init__(self, number: int):
        prefix = f"mr{os.getpid()}-two{number}-"
        self.node, self.client, self.far = (prefix + name for name in ("node", "client", "far"))
        try:
            for name in self._all():
                run("ip", "netns", "add", name)
                run("ip", "-n", name, "link", "set", "lo", "up")
            cable((self.node, "inside", "10.7.1.1/24"), (self.client, "eth0", "10.7.1.2/24"))
            cable((self.node, "outside", "10.7.2.1/24"), (self.far, "eth0", "10.7.2.2/24"))
        except BaseException:
            self.remove()
            raise

    def _all(self) -> tuple[str, ...]:
        return self.node, self.client, self.far

    def remove(self) -> None:
        for name in self._all():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def cable(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    """Each end is (namespace, device, address)."""
    run("ip", "-n", one[0], "link", "add", one[1], "type", "veth", "peer", "name", other[1], "netns", other[0])
    for name, device, address in (one, other):
        run("ip", "-n", name, "addr", "add", address, "dev", device)
        run("ip", "-n", name, "link", "set", device, "up")


@contextlib.contextmanager
def inside(name: str) -> Iterator[None]:
    """Sockets that this thread makes here belong to the namespace, and stay in it when the thread has left."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", "rb") as home, (pathlib.Path("/run/netns") / name).open("rb") as target:
        if libc.setns(target.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter network namespace {name}")
        try:
            yield
        finally:
            libc.setns(home.fileno(), CLONE_NEWNET)
