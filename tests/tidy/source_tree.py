"""The files that the checks look at, and C++ text without its comments and strings."""

import os
import re
import subprocess

CODE = (".h", ".cc", ".c", ".inc")


class SourceTree:
    """All files of the repository that are not built: tracked, or new and not ignored."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.files = sorted(self._list())

    def _list(self):
        command = ["git", "-C", self.root, "ls-files", "-z", "--cached", "--others",
                   "--exclude-standard"]
        try:
            listed = subprocess.run(command, check=True, capture_output=True).stdout.decode()
            names = listed.split("\0")
        except (OSError, subprocess.CalledProcessError):  # an unpacked archive, or no git
            names = self._walk()
        return {name for name in names if name and os.path.isfile(self.path(name))}

    def _walk(self):
        for folder, folders, names in os.walk(self.root):
            folders[:] = [f for f in folders if not f.startswith((".", "build"))]
            for name in names:
                yield os.path.relpath(os.path.join(folder, name), self.root)

    def path(self, name):
        return os.path.join(self.root, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def code(self, *folders):
        """C and C++ files, of these folders or of all."""
        return [f for f in self.files if f.endswith(CODE)
                and (not folders or f.split("/")[0] in folders)]

    def text(self):
        """Files that people read."""
        return [f for f in self.files if f.endswith(CODE + (".py", ".sh", ".md", ".txt", ".cmake",
                                                            ".in", ".map", ".json", ".cu"))]


_TOKENS = re.compile(
    r'//(?:\\\n|[^\n])*|/\*.*?\*/|R"(?P<tag>[^\s()\\]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"|(?<![0-9a-zA-Z_])\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def without_comments(code):
    """The code with comments blanked; every character keeps its line."""
    def blank(match):
        token = match.group(0)
        return re.sub(r"[^\n]", " ", token) if token.startswith("/") else token
    return _TOKENS.sub(blank, code)


def without_comments_and_strings(code):
    """The code with comments, strings and character literals blanked."""
    return _TOKENS.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), code)
