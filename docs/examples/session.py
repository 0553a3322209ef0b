"""Relays media between a client and a destination, and tells what happens to it. Needs python3-grpcio, and messages made
from the proto file:

    protoc -I src/control/grpc --python_out=. --grpc_out=. \
        --plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin rtpproxy.proto
    python3 session.py 127.0.0.1:50051 192.0.2.20 4000
"""
import sys
import threading

import grpc
import rtpproxy_pb2 as api
import rtpproxy_pb2_grpc as service

server, destination, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
local = sys.argv[4] if len(sys.argv) > 4 else "127.0.0.1"   # an address of the machine that Millrace runs on

with grpc.insecure_channel(server) as channel:
    millrace = service.RtpProxyStub(channel)

    # Subscribed once the metadata is there: what is created afterwards will be told.
    events = millrace.StreamSessionEvents(api.StreamSessionEventsRequest(labels={"example": "python"}))
    events.initial_metadata()

    def watch():
        for event in events:
            print(f"{event.sequence}: {event.session.session_id} {event.description}", flush=True)
            if event.event_type == api.SESSION_CLOSED:
                return

    watcher = threading.Thread(target=watch)
    watcher.start()

    made = millrace.CreateSession(api.CreateSessionRequest(
        listen_endpoint=api.Endpoint(address=local),        # port 0: Millrace chooses
        forward_endpoint=api.Endpoint(address=local),
        destination_endpoint=api.Endpoint(address=destination, port=port),
        protocol=api.UDP,
        timeout_seconds=60,
        labels={"example": "python"},
    ))
    print(f"send RTP to {made.listen_endpoint.address}:{made.listen_endpoint.port}", flush=True)

    sys.stdin.readline()   # until Enter
    gone = millrace.DestroySession(api.DestroySessionRequest(session_id=made.session_id))
    stats = gone.final_stats
    print(f"{stats.packets_received} packets in, {stats.packets_sent} out, {stats.avg_latency_ms:.3f} ms inside Millrace")
    watcher.join()
