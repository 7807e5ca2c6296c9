"""What must not be written: environment reads, goto, and things that only their author's desk knows."""

import os
import re

from source_tree import without_comments_and_strings

GETENV_IS_FOR = ("src/base/config.cc",)  # the one table of settings

_GETENV = re.compile(r"\b(secure_)?getenv\b|\benviron\b")
_GOTO = re.compile(r"\bgoto\b")
_DESK = [
    (re.compile(r"\b(TODO|FIXME|XXX|HACK)\b"), "unfinished business belongs in the tracker"),
    (re.compile(r"\b(issues?|tickets?|pull request|PR) ?#?\d+", re.IGNORECASE),
     "a number of a tracker means nothing here: say what it is about"),
    (re.compile(r"(?<![\w.$}])/(home|work|root|Users)/"), "a path of somebody's own machine"),
]
_CLIMBING = re.compile(r"(?<![\w./$}])((?:\.\./)+[\w./-]*)")


def check(tree):
    complaints = []
    for name in tree.code("src", "perf", "trainer", "tools", "include"):
        code = without_comments_and_strings(tree.read(name))
        for number, line in enumerate(code.split("\n"), 1):
            if _GETENV.search(line) and name not in GETENV_IS_FOR and _GOTO.search(line) is None:
                complaints.append((name, number, "getenv: settings come from base/config.h"))
            if _GOTO.search(line):
                complaints.append((name, number, "goto"))
    for name in tree.text():
        if name.startswith("tests/tidy/"):
            continue  # these files name what they forbid
        for number, line in enumerate(tree.read(name).split("\n"), 1):
            complaints += [(name, number, why) for pattern, why in _DESK if pattern.search(line)]
            complaints += [(name, number, f"{path} leads out of the repository")
                           for path in _CLIMBING.findall(line) if _leads_out(name, path)]
    return complaints


def _leads_out(name, path):
    return os.path.normpath(os.path.join(os.path.dirname(name), path)).startswith("..")
