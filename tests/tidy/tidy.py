#!/usr/bin/env python3
"""Holds the style of the sources: python3 tests/tidy/tidy.py [check...]

Each check lists its complaints as file:line: text. Those that ratchet.txt excuses are let through,
and an excuse that nothing needs any more is a complaint itself, so that the list only shrinks.
Exit status: 0 clean, 1 complaints, 77 the tool that the check needs is not installed.
"""

import importlib
import os
import sys

from source_tree import SourceTree

CHECKS = ["layers", "lengths", "mirror", "names", "words", "links", "layout", "headers"]
SKIPPED = 77


def read_ratchet(path):
    """[(check, file, part of the complaint)], from lines "check file: part"."""
    excuses = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.split("#")[0].strip()
            if line:
                check, rest = line.split(None, 1)
                name, _, part = rest.partition(":")
                excuses.append((check, name.strip(), part.strip()))
    return excuses


def run_check(name, tree, excuses):
    """The complaints that remain, as lines of text."""
    complaints = importlib.import_module(name).check(tree)
    unused = {excuse for excuse in excuses if excuse[0] == name}
    remaining = []
    for file, line, text in complaints:
        matching = {e for e in unused | set(excuses)
                    if e[0] == name and e[1] == file and e[2] in text}
        unused -= matching
        if not matching:
            remaining.append(f"{file}:{line}: {text}")
    remaining += [f"tests/tidy/ratchet.txt: '{name} {file}: {part}' excuses nothing: remove it"
                  for _, file, part in sorted(unused)]
    return remaining


def main(arguments):
    here = os.path.dirname(os.path.abspath(__file__))
    tree = SourceTree(os.path.join(here, "..", ".."))
    excuses = read_ratchet(os.path.join(here, "ratchet.txt"))
    failed = False
    for name in arguments or CHECKS:
        if name not in CHECKS:
            print(f"no check is called '{name}'; there are: {' '.join(CHECKS)}")
            return 2
        module = importlib.import_module(name)
        reason = module.missing() if hasattr(module, "missing") else None
        if reason:
            print(f"{name}: skipped: {reason}")
            if len(arguments) == 1:
                return SKIPPED
            continue
        lines = run_check(name, tree, excuses)
        failed |= bool(lines)
        print("\n".join(lines + [f"{name}: {len(lines)} complaints"]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
