#!/usr/bin/env bash
# Builds the Debian packages of this tree, and leaves all that comes of it in FOLDER, in place of what was built there
# before. A FOLDER with anything else in it is refused.
#
#   tools/package.sh FOLDER [DPKG-BUILDPACKAGE-ARGUMENT...]
#
# The tree itself stays clean: the build is done in FOLDER/source, a copy of what git knows or would. The tests are not
# run, unless DEB_BUILD_OPTIONS is set and has no nocheck in it: then those of tests/abi are.
set -euo pipefail
die() {
  echo "package.sh: $*" >&2
  exit 2
}

folder=$(realpath -m "${1:?FOLDER expected}")
shift
cd "$(dirname "$(readlink -f "$0")")/.."

mark=.made-by-package.sh
[[ $(pwd -P)/ != "${folder%/}"/* ]] || die "$folder holds this tree"
if [[ -e $folder && ! -e $folder/$mark ]]; then
  # rmdir takes what is empty, and nothing else.
  rmdir "$folder" 2>/dev/null || die "$folder has not been made here: delete it, or name another"
fi
rm -rf "$folder"
mkdir -p "$folder/source"
touch "$folder/$mark"
git ls-files -z --cached --others --exclude-standard |
  while IFS= read -r -d '' name; do [[ ! -e $name ]] || printf '%s\0' "$name"; done |
  tar --create --null --files-from - | tar --extract --directory "$folder/source"

cd "$folder/source"
export DEB_BUILD_OPTIONS=${DEB_BUILD_OPTIONS-nocheck parallel=$(nproc)}
[[ " $DEB_BUILD_OPTIONS " != *" nocheck "* ]] || export DEB_BUILD_PROFILES=nocheck
# Debian's programs, whatever else is first on PATH. debhelper gives the build a home of its own, where ccache would find
# nothing. A CCACHE_BASEDIR would change the names of files in the objects, and so the packages.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
export CCACHE_DIR=${CCACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/ccache} CCACHE_BASEDIR=
exec dpkg-buildpackage --no-sign "$@"
