"""Goal: each check complains of what it forbids, and only of that.
Method: small trees with one fault each, beside the same tree without it.
"""

import os
import tempfile
import unittest

import headers
import layers
import layout
import lengths
import links
import mirror
import names
import tidy
import words
from source_tree import SourceTree


def complaints(check, files):
    """What `check` says of a tree that holds `files`, a map from name to text."""
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return check(SourceTree(root))


class Layers(unittest.TestCase):
    def test_upwards_is_refused(self):
        found = complaints(layers.check, {"src/base/a.h": '#include "comm/b.h"\n'})
        self.assertEqual(found, [("src/base/a.h", 1, '"comm/b.h": base must not see comm')])

    def test_sideways_is_refused(self):
        self.assertTrue(complaints(layers.check, {"src/algorithms/a.h": '#include "transport/l.h"'}))
        self.assertTrue(complaints(layers.check, {"src/transport/a.h": '#include "schedule/s.h"'}))

    def test_downwards_is_allowed(self):
        self.assertFalse(complaints(layers.check, {
            "src/comm/a.h": '#include "plan/p.h"\n#include "schedule/s.h"\n#include <vector>\n'}))

    def test_the_rest_sees_the_public_header_only(self):
        self.assertTrue(complaints(layers.check, {"trainer/a.cc": '#include "base/status.h"'}))
        self.assertTrue(complaints(layers.check, {"perf/a.cc": '#include "plan/p.h"'}))
        self.assertTrue(complaints(layers.check, {"src/compat/a.cc": '#include "base/status.h"'}))
        self.assertFalse(complaints(layers.check, {
            "perf/a.cc": '#include "xccl.h"\n', "perf/micro/b.cc": '#include "base/status.h"'}))

    def test_comments_do_not_count(self):
        self.assertFalse(complaints(layers.check, {"src/base/a.h": '// #include "comm/b.h"\n'}))

    def test_a_new_room_must_be_entered(self):
        self.assertTrue(complaints(layers.check, {"src/attic/a.h": ""}))


class Lengths(unittest.TestCase):
    @staticmethod
    def function(lines):
        return "int f(int x) {\n" + "    ++x;\n" * (lines - 2) + "}\n"

    def test_functions(self):
        at_limit = self.function(lengths.FUNCTION_LINES)
        beyond = self.function(lengths.FUNCTION_LINES + 1)
        self.assertFalse(complaints(lengths.check, {"src/a.cc": at_limit + at_limit}))
        self.assertTrue(complaints(lengths.check, {"src/a.cc": "namespace x {\n" + beyond + "}"}))
        self.assertTrue(complaints(lengths.check, {"src/a.cc": "class X {\n" + beyond + "};"}))
        self.assertFalse(complaints(lengths.check, {"src/device/a.cc": beyond}))

    def test_tables_are_not_functions(self):
        table = "int table[] = {\n" + "    1,\n" * 100 + "};\n"
        self.assertFalse(complaints(lengths.check, {"src/a.cc": table}))

    def test_names_and_places(self):
        source = "namespace n {\n\nvoid X::f(int a) const {\n    if (a) {\n    }\n}\n}\n"
        self.assertEqual(lengths.functions_of(source), [("X::f", 3, 4)])

    def test_files(self):
        self.assertFalse(complaints(lengths.check, {"src/a.h": "\n" * lengths.FILE_LINES}))
        self.assertTrue(complaints(lengths.check, {"src/a.h": "\n" * (lengths.FILE_LINES + 1)}))


class Mirror(unittest.TestCase):
    def test_each_source_has_its_test(self):
        source = {"src/base/a.cc": ""}
        self.assertTrue(complaints(mirror.check, source))
        self.assertFalse(complaints(mirror.check, {**source, "tests/base/a_test.cc": ""}))

    def test_or_one_that_names_it(self):
        covers = {"tests/base/all_test.cc": "// Covers: base/a.cc base/b.cc\n"}
        self.assertTrue(complaints(mirror.check, {**covers, "src/base/a.cc": ""}))  # no b.cc
        self.assertFalse(
            complaints(mirror.check, {**covers, "src/base/a.cc": "", "src/base/b.cc": ""}))


class Names(unittest.TestCase):
    def test_empty_names(self):
        for name in ("src/base/utils.h", "src/common/a.h", "src/base/ring_impl.cc",
                     "tests/x/test_helpers.h", "src/base/ring_2.cc", "src/base/ring_new.h"):
            self.assertTrue(complaints(names.check, {name: ""}), name)
        self.assertFalse(complaints(names.check, {"src/base/commonwealth.h": "",
                                                  "src/base/float16.h": ""}))


class Words(unittest.TestCase):
    def test_getenv(self):
        read = "const char* v = getenv(name);\n"
        self.assertTrue(complaints(words.check, {"src/comm/a.cc": read}))
        self.assertFalse(complaints(words.check, {"src/base/config.cc": read}))
        self.assertFalse(complaints(words.check, {"src/comm/a.cc": "// never getenv(name)\n"}))

    def test_goto(self):
        self.assertTrue(complaints(words.check, {"src/comm/a.cc": "goto out;\n"}))

    def test_the_desk(self):
        for text in ("// TODO later", "see issue #12", "in /home/ann/xccl", "cat ../../notes.md"):
            self.assertTrue(complaints(words.check, {"src/a.h": text}), text)
        self.assertFalse(complaints(words.check, {"src/base/a.h": "// see ../plan/b.h\n"}))


class Links(unittest.TestCase):
    def test_targets_exist(self):
        page = {"docs/a.md": "[b](b.md#part) [web](https://example.org)\n"}
        self.assertTrue(complaints(links.check, page))
        self.assertFalse(complaints(links.check, {**page, "docs/b.md": ""}))


class Layout(unittest.TestCase):
    @unittest.skipIf(layout.missing(), "clang-format is not installed")
    def test_layout(self):
        self.assertTrue(complaints(layout.check, {"src/a.h": "int  x ;\n"}))
        self.assertFalse(complaints(layout.check, {"src/a.h": "int x;\n"}))


class Headers(unittest.TestCase):
    def test_a_header_compiles_alone(self):
        self.assertTrue(complaints(headers.check, {"src/base/a.h": "std::size_t f();\n"}))
        self.assertFalse(complaints(headers.check,
                                    {"src/base/a.h": "#include <cstddef>\nstd::size_t f();\n"}))

    def test_the_build_proves_what_its_source_includes_first(self):
        self.assertFalse(complaints(headers.check, {"src/base/a.h": "std::size_t f();\n",
                                                    "src/base/a.cc": '#include "base/a.h"\n'}))


class Ratchet(unittest.TestCase):
    def run_mirror(self, excuses):
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(os.path.join(root, "src/base"))
            open(os.path.join(root, "src/base/a.cc"), "w", encoding="utf-8").close()
            return tidy.run_check("mirror", SourceTree(root), excuses)

    def test_an_excuse_lets_through(self):
        self.assertEqual(len(self.run_mirror([])), 1)
        self.assertEqual(self.run_mirror([("mirror", "src/base/a.cc", "")]), [])

    def test_an_excuse_that_nothing_needs_is_a_complaint(self):
        excuses = [("mirror", "src/base/a.cc", ""), ("mirror", "src/base/b.cc", "")]
        self.assertEqual(len(self.run_mirror(excuses)), 1)


if __name__ == "__main__":
    unittest.main()
