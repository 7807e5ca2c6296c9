"""Relative links in documentation lead to files that exist."""

import os
import re

_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def check(tree):
    complaints = []
    for name in tree.files:
        if not name.endswith(".md"):
            continue
        for number, line in enumerate(tree.read(name).split("\n"), 1):
            for target in _LINK.findall(line):
                if "://" in target or target.startswith("mailto:"):
                    continue
                path = os.path.normpath(os.path.join(os.path.dirname(name), target))
                if not os.path.exists(tree.path(path)):
                    complaints.append((name, number, f"the link to {target} leads nowhere"))
    return complaints
