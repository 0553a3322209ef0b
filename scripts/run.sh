#!/usr/bin/env bash
# run.sh [--once]: the daemon on loopback, a demo call through it, then it stays up until Ctrl-C. `./mr run` comes here
# after the build.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
bin=build/release/bin
log=build/log/run.log
settings=(--set media.address=127.0.0.1)
mrctl=("$bin/mrctl")
if [[ ! -w /run ]]; then   # not root: the default place of the admin socket is not ours
  socket=build/run/admin.sock   # a relative path: the name of a Unix socket is 107 bytes at most
  settings+=(--set "admin.socket=$socket")
  mrctl+=(--socket "$socket")
fi
ready_within_s=10

once=0
case ${1:-} in
  '') ;;
  --once) once=1 ;;
  *)
    echo "mr: unknown argument '$1'; it is \`./mr run [--once]\`" >&2
    exit 2
    ;;
esac

mkdir -p build/run build/log
echo "mr: starting $bin/millrace on loopback (log: $log)"
"$bin/millrace" "${settings[@]}" >"$log" 2>&1 &
daemon=$!

stop() {
  kill -TERM "$daemon" 2>/dev/null || true
  wait "$daemon" || true
}
trap 'stop; exit 130' INT TERM

# Ready is when it answers on its admin socket. A daemon that could not start (a port in use) has said why and is gone.
for ((tries = ready_within_s * 10; ; tries--)); do
  if ! kill -0 "$daemon" 2>/dev/null; then
    echo "mr: the daemon did not start:" >&2
    tail -n 20 "$log" >&2
    exit 1
  fi
  if "${mrctl[@]}" status >/dev/null 2>&1; then break; fi
  if [[ $tries -eq 0 ]]; then
    echo "mr: the daemon runs but did not answer within $ready_within_s s:" >&2
    tail -n 20 "$log" >&2
    stop
    exit 1
  fi
  sleep 0.1
done

status=0
"$bin/mrload" --demo || status=$?
if [[ $once -eq 1 || $status -ne 0 ]]; then
  stop
  [[ $status -eq 0 ]] || echo "mr: the demo call failed; the daemon's log is $log" >&2
  exit "$status"
fi

cat <<WORDS

Millrace is running: text protocol on udp:127.0.0.1:7722, gRPC on 127.0.0.1:50051, media on 127.0.0.1.
  ${mrctl[*]} status      what it carries
  ${mrctl[*]} calls       its calls
  ${mrctl[*]} doctor      what would go wrong on this host
  $bin/mrctl watch        what happens, as it happens
  $bin/mrload --demo       another call, from another terminal
  docs/kamailio.md, docs/opensips.md   a SIP server in front of it
  docs/grpc.md             a controller of your own in front of it
It stays up until Ctrl-C.
WORDS
wait "$daemon" || status=$?
echo "mr: the daemon ended (log: $log)" >&2
exit "$status"
