#!/usr/bin/env bash
# Applies the code format to the tree's C and C++ files; with --check only tells where they differ.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

files() { # FIND-EXPRESSION...
  find . \( -path './.*' -o -path ./abi -o -path ./build -o -path ./dist -o -name node_modules \) -prune -o -type f \( "$@" \) -print0
}

# hc.hpp has the style of the tree, though hc.h beside it is laid out by hand. Both commands run, and either one's failure
# counts: set -e does not, where the result is asked for.
format() { # CLANG-FORMAT-ARGUMENT...
  local result=0
  files -name '*.cpp' -o -name '*.h' -o -name '*.c' | xargs -0 --no-run-if-empty clang-format-14 --style=file "$@" || result=1
  files -name '*.hpp' | xargs -0 --no-run-if-empty clang-format-14 --style=file:.clang-format "$@" || result=1
  return "$result"
}

if [[ ${1:-} != --check ]]; then
  format -i
elif ! differences=$(format --dry-run --Werror 2>&1); then
  sed -nE 's/^(\.\/)?([^:]+:[0-9]+):.* error: .*/\2: not in the code format/p' <<<"$differences" | sort -u
  echo "./run format applies it"
  exit 1
fi
