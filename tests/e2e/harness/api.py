"""One call of the gRPC API from inside a network namespace: the client is a process of its own there, because gRPC opens
its sockets in threads of its own.

As a program: api.py ADDRESS METHOD, the request as JSON on stdin, the answer as JSON on stdout."""
from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
PROTO = REPOSITORY / "src" / "control" / "grpc" / "rtpproxy.proto"


def call(netns: str, address: str, method: str, **request) -> dict:
    done = subprocess.run(["ip", "netns", "exec", netns, sys.executable, __file__, address, method],
                          input=json.dumps(request), capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def main() -> None:
    import grpc
    from google.protobuf import json_format
    address, method = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["protoc", f"-I{PROTO.parent}", f"--python_out={folder}", f"--grpc_out={folder}",
                        "--plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin", str(PROTO)], check=True)
        sys.path.insert(0, folder)
        import rtpproxy_pb2
        import rtpproxy_pb2_grpc
        request = json_format.Parse(sys.stdin.read(), getattr(rtpproxy_pb2, f"{method}Request")())
        with grpc.insecure_channel(address) as channel:
            answer = getattr(rtpproxy_pb2_grpc.RtpProxyStub(channel), method)(request, timeout=10)
        print(json_format.MessageToJson(answer, including_default_value_fields=True, preserving_proto_field_name=True))


if __name__ == "__main__":
    main()
