#!/usr/bin/env bash
# What the library shows is what the header declares, and its SONAME is versioned. Arguments: library, header.
set -euo pipefail
library=$1 header=$2
shown=$(nm -D --defined-only "$library" | awk '$2 ~ /[TWVBDR]/ { print $3 }' | sort)
declared=$(grep -oE '^XCCL_API [^(]*|^ *xccl[A-Z][A-Za-z]*\(' "$header" | grep -oE 'xccl[A-Z][A-Za-z]*$|xccl[A-Z][A-Za-z]*\(' | tr -d '(' | grep -v Result_t | sort -u)
diff <(echo "$declared") <(echo "$shown") || { echo "left: declared in the header; right: shown by the library" >&2; exit 1; }
readelf -d "$library" | grep -q 'SONAME.*libxccl\.so\.[0-9]' || { echo "no versioned SONAME" >&2; exit 1; }
