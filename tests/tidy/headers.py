"""A header compiles alone.

One that its own .cc file includes before anything else is proved by the build; the others are
compiled here.
"""

import concurrent.futures
import os
import re
import subprocess

_FIRST_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">]', re.MULTILINE)


def check(tree):
    headers = [name for name in tree.code("src", "include") if name.endswith(".h")
               and not _proved_by_build(tree, name)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        errors = pool.map(lambda name: _compile(tree, name), headers)
    return [(name, 1, f"does not compile alone: {error}")
            for name, error in zip(headers, errors) if error]


def _proved_by_build(tree, name):
    source = name[:-len(".h")] + ".cc"
    if source not in tree.files:
        return False
    first = _FIRST_INCLUDE.search(tree.read(source))
    return first is not None and "src/" + first.group(1) == name


def _compile(tree, name):
    compiler = os.environ.get("XCCL_TIDY_COMPILER", "c++")
    command = [compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
               "-DFMT_HEADER_ONLY", "-D_GNU_SOURCE", "-Isrc", "-Iinclude", "-x", "c++", "-"]
    included = name.split("/", 1)[1]
    run = subprocess.run(command, cwd=tree.root, input=f'#include "{included}"\n', text=True,
                         capture_output=True, check=False)
    if run.returncode == 0:
        return None
    errors = [line for line in run.stderr.split("\n") if "error" in line]
    return errors[0] if errors else run.stderr.strip()[:200]
