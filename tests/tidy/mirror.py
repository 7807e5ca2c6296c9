"""Tests mirror src/: src/x/y.cc is tested by tests/x/y_test.cc."""


def check(tree):
    present = set(tree.files)
    complaints = []
    for name in tree.code("src"):
        if not name.endswith(".cc"):
            continue
        test = "tests" + name[len("src"):-len(".cc")] + "_test.cc"
        if test not in present:
            complaints.append((name, 1, f"no {test}"))
    return complaints
