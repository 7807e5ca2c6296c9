"""clang-format has nothing to change. Skipped where it is not installed."""

import re
import shutil
import subprocess

_PLACE = re.compile(r"^(.*?):(\d+):\d+: (?:error|warning): code should be clang-formatted")
_BATCH = 40  # files per call


def missing():
    return None if shutil.which("clang-format") else "clang-format is not installed"


def check(tree):
    complaints = {}
    names = [name for name in tree.code() if not name.endswith(".inc")]
    for start in range(0, len(names), _BATCH):
        run = subprocess.run(["clang-format", "--dry-run", "-Werror"] + names[start:start + _BATCH],
                             cwd=tree.root, capture_output=True, text=True, check=False)
        for line in run.stderr.split("\n"):
            match = _PLACE.match(line)
            if match:
                complaints.setdefault(match.group(1), int(match.group(2)))
    return [(name, line, "clang-format would change this") for name, line in complaints.items()]
