"""10,000 sessions made and ended under load leave nothing behind: descriptors, memory, ports."""
from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from api import messages
from media import rtp, udp
from program import wait_for
from test_grpc_contract import endpoint, request

P, _ = messages()
CYCLES, WARM_UP, CLIENTS = 10_000, 1_000, 16


def resident_kib(pid: int) -> int:
    with open(f"/proc/{pid}/status", encoding="ascii") as lines:
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def test_ten_thousand_sessions_come_and_go(millrace):
    daemon = millrace("media.port_rest=0s", "events.history=1024")
    api = daemon.api()
    far, client = udp(), udp()
    steady = api.CreateSession(request(session_id="steady", destination_endpoint=endpoint(port=far.getsockname()[1])))
    over = threading.Event()

    def talk() -> None:   # media goes on meanwhile
        number = 0
        while not over.is_set():
            client.sendto(rtp(number), ("127.0.0.1", steady.listen_endpoint.port))
            number += 1
            over.wait(0.005)

    talker = threading.Thread(target=talk)
    talker.start()

    def one(_number: int) -> bool:
        made = api.CreateSession(request())
        return made.rtcp and api.DestroySession(P.DestroySessionRequest(session_id=made.session_id)).success

    def cycles(count: int) -> None:
        with ThreadPoolExecutor(CLIENTS) as pool:
            assert all(pool.map(one, range(count)))

    cycles(WARM_UP)
    before = resident_kib(daemon.child.pid)
    descriptors = daemon.descriptors()
    cycles(CYCLES)
    over.set()
    talker.join()
    wait_for(lambda: daemon.mrctl("status")["ports_in_use"] == 4 or None, "every port but the steady one's back")
    wait_for(lambda: daemon.descriptors() <= descriptors + 2 or None, "as few descriptors as before")
    assert resident_kib(daemon.child.pid) < before * 1.2 + 4096
    stats = api.GetSessionStatus(P.GetSessionStatusRequest(session_id="steady")).session.stats
    assert stats.packets_received == stats.packets_sent > 0 and stats.packets_lost == 0
    far.close()
    client.close()
