"""Tests mirror src/: src/x/y.cc is tested by tests/x/y_test.cc, or by a test of several sources
together, which names them on a line of its own: "// Covers: x/y.cc x/z.cc"."""

import re

COVERS = re.compile(r"^// Covers: (.*)$", re.MULTILINE)


def check(tree):
    present = set(tree.files)
    covered = set()
    complaints = []
    for name in tree.code("tests"):
        if not name.endswith("_test.cc"):
            continue
        for line in COVERS.findall(tree.read(name)):
            for source in line.split():
                covered.add("src/" + source)
                if "src/" + source not in present:
                    complaints.append((name, 1, f"covers src/{source}, which does not exist"))
    for name in tree.code("src"):
        if not name.endswith(".cc"):
            continue
        test = "tests" + name[len("src"):-len(".cc")] + "_test.cc"
        if test not in present and name not in covered:
            complaints.append((name, 1, f"no {test}, and no test that covers it"))
    return complaints
