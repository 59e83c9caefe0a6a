#!/usr/bin/env bash
# Makes a Python wheel that carries libhc.so and nothing else of what it needs: libcurl, c-ares and OpenSSL are the
# system's. Prints its path.
#
#   tools/wheel.sh LIBRARY FOLDER
set -euo pipefail
tree=$(realpath "$(dirname "$(readlink -f "$0")")/..")
library=$(realpath "$1")
folder=$(realpath -m "$2")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/source"
cp -r "$tree"/bindings/python/{hc,pyproject.toml,README.md} "$tree/LICENSE" "$work/source"
find "$work/source" -name __pycache__ -prune -exec rm -r {} +
strip --strip-unneeded "$library" -o "$work/source/hc/libhc.so.0"

# For every Python 3, on this kind of machine only.
cat >"$work/wheel.cfg" <<EOF
[bdist_wheel]
python_tag = py3
plat_name = $(/usr/bin/python3 -E -c 'import sysconfig; print(sysconfig.get_platform())')
EOF
export DIST_EXTRA_CONFIG=$work/wheel.cfg PIP_DISABLE_PIP_VERSION_CHECK=1
SOURCE_DATE_EPOCH=$(date -d "$(sed -n 's/^ -- .*>  //p' "$tree/debian/changelog" | head -1)" +%s)
export SOURCE_DATE_EPOCH
find "$work/source" -exec touch --date "@$SOURCE_DATE_EPOCH" {} +

mkdir -p "$folder" "$work/made"
/usr/bin/python3 -m pip wheel --quiet --no-deps --no-index --no-build-isolation --wheel-dir "$work/made" "$work/source"
made=$(basename "$work"/made/*.whl)
mv "$work/made/$made" "$folder"
echo "$folder/$made"
