"""Is docs/configuration.md what the table of settings says?

    generated_docs.py XCCL_INFO PAGE

Compares the page with the output of `xccl-info --config-doc`; exit status 1 if it is stale.
"""

import difflib
import subprocess
import sys


def main(program, page):
    generated = subprocess.run([program, "--config-doc"], check=True, capture_output=True,
                               text=True).stdout
    try:
        with open(page, encoding="utf-8") as file:
            written = file.read()
    except FileNotFoundError:
        written = ""
    changes = list(difflib.unified_diff(written.splitlines(), generated.splitlines(), page,
                                        "xccl-info --config-doc", lineterm=""))
    if changes:
        print("\n".join(changes))
        print(f"{page} is stale; write it with: xccl-info --config-doc > {page}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
