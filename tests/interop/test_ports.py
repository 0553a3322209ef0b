"""When the ports are gone, and when they come back."""
from __future__ import annotations

import re


def test_a_range_that_is_used_up_refuses_what_is_new_and_keeps_what_is_there(start) -> None:
    # 200 ports are 100 pairs. The numbers are high and unusual, and a pair that others hold is passed over.
    client = start(["-l", "127.0.0.9", "-m", "36000", "-M", "36199"]).client
    made = 0
    while (reply := client.ask(f"U c{made} 127.0.0.1 5000 f")[0]) != "E72":
        assert re.fullmatch(r"36\d\d[02468] 127\.0\.0\.9", reply), reply
        made += 1
        assert made <= 100
    assert made > 1
    assert client.ask("U c0 127.0.0.1 5000 f")[0].endswith(" 127.0.0.9")
    assert client.ask("L c0 127.0.0.1 5002 f t") == ["E71"]
    assert client.ask("Un c0 127.0.0.1 5000 f") == ["E71"]
    assert client.ask("U c1 - 0 f t && L - 0")[0].endswith(" && -71")
    assert client.ask("G nsess_created") == [str(made)]
    assert client.ask("D c1 f") == ["0"]
    freed = "E72"
    for _ in range(100):   # a worker confirms that the sockets are closed before the pair is free
        if (freed := client.ask("L c0 127.0.0.1 5002 f t")[0]) != "E71":
            break
    assert freed.endswith(" 127.0.0.9")


def test_a_renewed_leg_has_another_port(start) -> None:
    client = start().client
    first = client.ask("U c 127.0.0.1 5000 f t")
    second = client.ask("Un c 127.0.0.1 5000 f t")
    assert second[0].endswith(" 127.0.0.1") and second != first
    assert client.ask("U c 127.0.0.1 5000 f t") == second
