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

# use ROOT: builds and runs the consumer with pkg-config and with CMake against what is installed there, and the command.
use() {
  local pc_directory
  pc_directory=$(dirname "$(find "$1" -name libhc.pc)")
  export PKG_CONFIG_PATH=$pc_directory
  # shellcheck disable=SC2046 # flags are words
  "${CC:-cc}" "$here/consumer.c" $(pkg-config --cflags --libs libhc) -o "$work/consumer-pkg-config"
  LD_LIBRARY_PATH=$(dirname "$pc_directory") "$work/consumer-pkg-config"
  # A user of libhc needs the headers of nothing that it is built on.
  PKG_CONFIG_LIBDIR=/nonexistent pkg-config --exists --print-errors libhc

  rm -rf "$work/cmake"
  cmake -S "$here" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$1" >/dev/null
  cmake --build "$work/cmake" >/dev/null
  "$work/cmake/consumer"
  ldd "$work/cmake/consumer" | grep -F "libhc.so.0 => $1/"

  [[ ! -e $1/bin/hcx ]] || ldd "$1/bin/hcx" | grep -F "libhc.so.0 => $1/"
}
use "$prefix"
use "$work/stage/usr"
if cmake -S "$here" -B "$work/cmake-newer" -DCMAKE_PREFIX_PATH="$prefix" -DWANTED=99.0 >/dev/null 2>&1; then
  echo "find_package took this version for 99.0" >&2
  exit 1
fi
if [[ -e $prefix/bin/hcx ]]; then
  [[ -s $prefix/share/man/man1/hcx.1 ]] || { echo "not installed: hcx.1" >&2; exit 1; }
fi

# Files know each other by the way from one to the other: the whole may be moved.
mv "$prefix" "$work/moved"
use "$work/moved"

# Places that are not below the prefix are taken as they are.
cmake -S "$here/../.." -B "$work/places" -DBUILD_TESTING=OFF -DCMAKE_INSTALL_PREFIX=/opt/hc \
  -DCMAKE_INSTALL_LIBDIR=/opt/lib/hc -DCMAKE_INSTALL_INCLUDEDIR=/opt/include/hc-0 >/dev/null
grep -qx 'libdir=/opt/lib/hc' "$work/places/libhc.pc"
grep -qx 'includedir=/opt/include/hc-0' "$work/places/libhc.pc"
if grep -q hcx "$work/places/cmake_install.cmake"; then
  grep -qF 'RPATH "/opt/lib/hc"' "$work/places/cmake_install.cmake"
fi

# A packager builds without tests and needs nothing for them.
cmake -S "$here/../.." -B "$work/packager" -DBUILD_TESTING=OFF \
  -DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON -DCMAKE_DISABLE_FIND_PACKAGE_benchmark=ON >/dev/null
