#!/usr/bin/env bash
# build.sh PRESET TARGET...: configures build/PRESET and builds the targets. One moving line on a terminal; elsewhere
# only errors. Everything is in build/log/PRESET-build.log too.
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

# ninja's "[3/40] Building ..." lines become one that moves; everything else is an error or a warning and stays.
show() {
  local line width=0
  if [[ -t 1 ]]; then width=$(($(tput cols 2>/dev/null || echo 80) - 3)); fi
  while IFS= read -r line; do
    if [[ $line =~ ^\[[0-9]+/[0-9]+\]|^ninja:\ no\ work ]]; then
      [[ $width -eq 0 ]] || printf '\r\e[K  %s' "${line:0:width}"
    else
      [[ $width -eq 0 ]] || printf '\r\e[K'
      printf '%s\n' "$line"
    fi
  done
  [[ $width -eq 0 ]] || printf '\r\e[K'
}

cmake --build "$directory" --parallel "$(nproc)" --target "$@" 2>&1 | tee -a "$log" | show
