#!/usr/bin/env bash
# Installs Debian packages without ever starting or enabling a service. Runs as root.
#
#   tools/install_packages.sh PACKAGE...
#
# Two guards stand while apt works, and the earlier state comes back after it, whatever ends the script:
#   policy-rc.d   answers 101 to every start, stop and restart (invoke-rc.d and deb-systemd-invoke ask it);
#   preset files  say "disable *", so that no new unit is enabled (deb-systemd-helper asks systemctl preset);
#                 under /run, so that not even a crash leaves them for good.
# Init scripts know no preset: those that are new are disabled by hand before the guards go.
set -euo pipefail

readonly policy=/usr/sbin/policy-rc.d
readonly saved=$policy.before-libhc # the owner's policy, while ours stands in its place
readonly mark="# libhc: a package installation is running; nothing starts meanwhile"
readonly preset=00-libhc-installing.preset
preset_directories=(/run/systemd/system-preset /run/systemd/user-preset)

raise_guards() {
  # An earlier run that was killed may have left its guards: then $saved, if any, is the owner's policy.
  if [[ ! -e $saved && ! -L $saved ]] && [[ -e $policy || -L $policy ]] && ! grep -qsxF "$mark" "$policy"; then
    ln -P "$policy" "$saved"
  fi
  printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy.new"
  chmod 755 "$policy.new"
  mv -f "$policy.new" "$policy"
  local directory
  for directory in "${preset_directories[@]}"; do
    mkdir -p "$directory"
    printf '%s\ndisable *\n' "$mark" >"$directory/$preset"
  done
}

lower_guards() {
  trap '' INT TERM HUP # it is short, and half of it would be worse than none
  disable_new_scripts
  local directory
  for directory in "${preset_directories[@]}"; do
    rm -f "$directory/$preset"
    rmdir --ignore-fail-on-non-empty "$directory"
  done
  if [[ -e $saved || -L $saved ]]; then
    mv -f "$saved" "$policy"
  else
    rm -f "$policy"
  fi
}

# Names of the init scripts that some runlevel starts.
started_scripts() {
  find /etc/rc[0-6S].d -name 'S*' -printf '%f\n' 2>/dev/null | sed 's/^S[0-9]*//' | sort -u
}

disable_new_scripts() {
  local script
  for script in $(comm -13 <(echo "$started_before") <(started_scripts)); do
    update-rc.d "$script" disable || true
  done
}

has_candidates() {
  local package
  for package in "$@"; do
    apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [^(]' || return 1
  done
}

update_lists() {
  apt-get -q update || echo "install_packages: some package lists are old; going on with what there is" >&2
}

install() {
  apt-get -q -y --no-install-recommends --no-remove -o DPkg::Lock::Timeout=300 install "$@" </dev/null
}

((EUID == 0)) || { echo "install_packages: must run as root" >&2; exit 1; }
(($# > 0)) || { echo "usage: install_packages.sh PACKAGE..." >&2; exit 2; }

# One at a time: two runs would save each other's guard as the owner's policy.
exec 9>/run/libhc-install.lock
flock 9

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
export LC_ALL=C.UTF-8 # has_candidates reads what apt says
updated=no
if ! has_candidates "$@"; then
  update_lists
  updated=yes
fi

started_before=$(started_scripts)
trap lower_guards EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
raise_guards

# Lists that are old name versions that the mirror no longer has.
if ! install "$@" 9>&-; then
  [[ $updated == no ]] || exit 1
  update_lists
  install "$@" 9>&-
fi
