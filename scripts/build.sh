#!/usr/bin/env bash
# build.sh PRESET TARGET...: configures build/PRESET and builds the targets. Silent but for errors when nobody watches.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
preset=$1
shift
directory=build/$preset
log=build/log/$preset-build.log
mkdir -p build/log

# A tree that was copied or moved keeps a cache that points elsewhere; cmake would refuse it.
if [[ -f $directory/CMakeCache.txt ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$directory/CMakeCache.txt"; then
  rm -rf "$directory"
fi
if ! cmake --preset "$preset" >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi

build=(cmake --build "$directory" --parallel "$(nproc)" --target "$@")
if [[ -t 1 ]]; then
  NINJA_STATUS='  [%f/%t] ' "${build[@]}"
else
  "${build[@]}" -- --quiet 2>&1 | tee -a "$log"
fi
