"""Names say what a file is about."""

import re

_EMPTY = re.compile(r"(^|_)(utils?|common|misc|helpers?|impl)(_|$)")
_COPY = re.compile(r"_(new|old|copy|\d)$")


def check(tree):
    complaints = []
    for name in tree.files:
        for part in name.split("/"):
            stem = part.split(".")[0].replace("-", "_").lower()
            if _EMPTY.search(stem):
                complaints.append((name, 1, f"'{part}' says nothing of what is inside"))
            elif _COPY.search(stem) and not name.startswith("tests/fuzz/corpus/"):
                complaints.append((name, 1, f"'{part}' looks like one of several copies"))
    return complaints
