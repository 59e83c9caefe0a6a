#!/usr/bin/env bash
# Applies the code format to the tree's C and C++ files; with --check only tells where they differ.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

format() { # CLANG-FORMAT-ARGUMENT...
  find . \( -path './.*' -o -path ./build -o -path ./bindings \) -prune \
    -o -type f \( -name '*.cpp' -o -name '*.h' -o -name '*.c' \) -print0 |
    xargs -0 --no-run-if-empty clang-format-14 --style=file "$@"
}

if [[ ${1:-} != --check ]]; then
  format -i
elif ! differences=$(format --dry-run --Werror 2>&1); then
  sed -nE 's/^(\.\/)?([^:]+:[0-9]+):.* error: .*/\2: not in the code format/p' <<<"$differences" | sort -u
  echo "./run format applies it"
  exit 1
fi
