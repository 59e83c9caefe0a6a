#!/usr/bin/env bash
# Installs a build below its own directory and uses it the two ways applications do: pkg-config and find_package.
#
#   tests/install/run.sh BUILD-DIRECTORY
set -euo pipefail
build=$(readlink -f "$1")
here=$(dirname "$(readlink -f "$0")")
work=$build/install-test
unset DESTDIR PKG_CONFIG_PATH PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR
rm -rf "$work"
mkdir -p "$work"

# A prefix of its own, and a package's stage: the same files must come of both.
prefix=$work/prefix
cmake --install "$build" --prefix "$prefix" >/dev/null
DESTDIR=$work/stage cmake --install "$build" --prefix /usr >/dev/null
diff <(cd "$prefix" && find . | sort) <(cd "$work/stage/usr" && find . | sort)

for file in include/hc/hc.hpp share/libhc/hc.json; do
  [[ -s $prefix/$file ]] || { echo "not installed: $file" >&2; exit 1; }
done

# use ROOT: builds and runs the consumer with pkg-config against what is installed there.
use() {
  local pc_directory
  pc_directory=$(dirname "$(find "$1" -name libhc.pc)")
  export PKG_CONFIG_PATH=$pc_directory
  # shellcheck disable=SC2046 # flags are words
  "${CC:-cc}" "$here/consumer.c" $(pkg-config --cflags --libs libhc) -o "$work/consumer-pkg-config"
  LD_LIBRARY_PATH=$(dirname "$pc_directory") "$work/consumer-pkg-config"
  pkg-config --exists --print-errors --static libhc # Requires.private names packages that exist
}
use "$prefix"
use "$work/stage/usr"

cmake -S "$here" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$work/cmake" >/dev/null
"$work/cmake/consumer"
if cmake -S "$here" -B "$work/cmake-newer" -DCMAKE_PREFIX_PATH="$prefix" -DWANTED=99.0 >/dev/null 2>&1; then
  echo "find_package took this version for 99.0" >&2
  exit 1
fi

# The installed command finds the library beside it, and has its page.
if [[ -e $prefix/bin/hcx ]]; then
  [[ -s $prefix/share/man/man1/hcx.1 ]] || { echo "not installed: hcx.1" >&2; exit 1; }
  ldd "$prefix/bin/hcx" | grep -F "libhc.so.0 => $prefix/"
fi

# A packager builds without tests and needs nothing for them.
cmake -S "$here/../.." -B "$work/packager" -DBUILD_TESTING=OFF \
  -DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON -DCMAKE_DISABLE_FIND_PACKAGE_benchmark=ON >/dev/null
