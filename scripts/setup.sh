#!/usr/bin/env bash
# Installs what is missing from the distribution's packages, and nothing else.
#
#   scripts/setup.sh demo     what building, the bandwidth tests and training need
#   scripts/setup.sh test     that, and what the test suite needs
#   scripts/setup.sh compare  what perf/compare needs: the libraries that xccl is compared with
#
# Asks for root (sudo) only if something is missing. On another distribution than Debian or Ubuntu it
# prints what is needed and stops.
set -euo pipefail

demo=(g++ cmake ninja-build pkg-config libfmt-dev libsodium-dev nlohmann-json3-dev libcli11-dev bible-kjv)
test=("${demo[@]}" libgtest-dev libbenchmark-dev relacy-dev clang clang-format python3 iproute2 procps
      openmpi-bin libopenmpi-dev mpich libmpich-dev slurmctld slurmd slurm-client munge)
compare=("${demo[@]}" python3 python3-venv openmpi-bin libopenmpi-dev mpich libmpich-dev libgloo-dev)

case ${1:-} in
  demo) wanted=("${demo[@]}") ;;
  test) wanted=("${test[@]}") ;;
  compare) wanted=("${compare[@]}") ;;
  *) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

. /etc/os-release 2>/dev/null || ID=unknown
case "${ID:-} ${ID_LIKE:-}" in
  *debian* | *ubuntu*) ;;
  *)
    echo "This script knows Debian and Ubuntu. On ${PRETTY_NAME:-this system} please install, by these or similar names:"
    printf '    %s\n' "${wanted[@]}"
    echo "then run:  cmake --preset release && cmake --build --preset release"
    exit 3
    ;;
esac

# The runtime of clang's sanitizers and of libFuzzer is a package of its own on all but one of them.
if [[ ${1:-} == test && ${ID:-}${VERSION_ID:-} != ubuntu22.04 ]]; then wanted+=(libclang-rt-dev); fi

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

echo "Installing from ${PRETTY_NAME:-your distribution}: ${missing[*]}"
as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || {
    echo "Please run as root:  apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 3
  }
  as_root=(sudo)
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "$@" >"$log" 2>&1; }
if ! { install update -q && install install -y -q --no-install-recommends "${missing[@]}"; }; then
  tail -n 20 "$log" >&2
  echo "The packages above could not be installed; see the lines before this one." >&2
  exit 1
fi
