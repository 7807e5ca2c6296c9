"""Includes go one way only."""

import re

from source_tree import without_comments

# Which rooms of src/ a room may include, besides itself; and through them, those that they may.
ROOMS = {
    "base": [],
    "observe": ["base"],
    "trust": ["base"],
    "topology": ["base", "observe"],
    "schedule": ["base", "observe"],
    "algorithms": ["schedule"],
    "plan": ["algorithms", "topology"],
    "transport": ["trust", "observe"],
    "device": ["base", "observe"],
    "machine": ["plan", "device"],
    "bootstrap": ["trust", "observe"],
    "executor": ["schedule", "transport", "device"],
    "comm": ["bootstrap", "plan", "executor", "topology", "machine"],
    "api": ["comm"],
    "compat": [],
}
# Outside src/: these see the public header and nothing else of the library.
PUBLIC_HEADER_ONLY = ("perf/", "trainer/", "src/compat/", "include/")
EXCEPT = ("perf/micro/",)  # benchmarks of one room look inside it

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)


def reachable(room):
    seen = {room}
    pending = [room]
    while pending:
        for below in ROOMS[pending.pop()]:
            if below not in seen:
                seen.add(below)
                pending.append(below)
    return seen


def check(tree):
    complaints = []
    for name in tree.code():
        parts = name.split("/")
        room = parts[1] if parts[0] == "src" and len(parts) > 2 else None
        if room is not None and room not in ROOMS:
            complaints.append((name, 1, f"room {room} is not in the table of tests/tidy/layers.py"))
            continue
        code = without_comments(tree.read(name))
        for include in _INCLUDE.finditer(code):
            line = code.count("\n", 0, include.start()) + 1
            problem = _problem(name, room, include.group(1), include.group(2))
            if problem:
                complaints.append((name, line, problem))
    return complaints


def _problem(name, room, quote, included):
    target = included.split("/")[0]
    if ".." in included.split("/"):
        return f'"{included}" climbs: include from the root of src/'
    if name.startswith(PUBLIC_HEADER_ONLY) and not name.startswith(EXCEPT):
        if target in ROOMS and quote == '"' and not _own(name, target):
            return f'"{included}": only xccl.h of the library may be seen from here'
    elif room is not None:
        if target in ROOMS and target not in reachable(room):
            return f'"{included}": {room} must not see {target}'
        if target in ("tests", "perf", "trainer", "tools"):
            return f'"{included}": the library must not see {target}/'
    return None


def _own(name, target):
    """perf/plan/x.h, included as "plan/x.h" from perf/, is not the library's plan."""
    return f"/{target}/" in f"/{name}" and not name.startswith("src/")
