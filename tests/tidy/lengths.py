"""Files of at most 600 lines, functions of at most 70 (kernels: 100)."""

import re

from source_tree import without_comments_and_strings

FILE_LINES = 600
FUNCTION_LINES = 70
KERNEL_LINES = 100
KERNELS = ("src/device/", "trainer/kernels/")

_CONTAINER = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b[^()=]*$")


def check(tree):
    complaints = []
    for name in tree.code() + [f for f in tree.files if f.endswith((".py", ".sh"))]:
        count = tree.read(name).count("\n")
        if count > FILE_LINES:
            complaints.append((name, 1, f"{count} lines; a file has at most {FILE_LINES}"))
    for name in tree.code():
        limit = KERNEL_LINES if name.startswith(KERNELS) else FUNCTION_LINES
        for function, line, length in functions_of(tree.read(name)):
            if length > limit:
                complaints.append((name, line, f"{function}: {length} lines; a function has at "
                                               f"most {limit}"))
    return complaints


def functions_of(source):
    """(name, first line, lines) of each function body that is not inside another one."""
    code = without_comments_and_strings(source)
    code = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code,
                  flags=re.MULTILINE)
    scopes = []  # True: a function's body, or something inside one
    found = []
    head_start = 0
    for match in re.finditer(r"[{};]", code):
        token = match.group(0)
        inside = bool(scopes) and scopes[-1] is not None
        if token == ";":
            if not inside:
                head_start = match.end()
        elif token == "{":
            head = code[head_start:match.start()]
            if inside:
                scopes.append(True)
            elif _is_function(head):
                start = head_start + len(head) - len(head.lstrip())
                scopes.append((_name_of(head), code.count("\n", 0, start) + 1))
            elif _CONTAINER.search(head.strip()) or not head.strip():
                scopes.append(None)
                head_start = match.end()
            else:
                scopes.append(True)  # an initialiser
        elif scopes:
            opened = scopes.pop()
            if isinstance(opened, tuple):
                last = code.count("\n", 0, match.start()) + 1
                found.append((opened[0], opened[1], last - opened[1] + 1))
            if not (scopes and scopes[-1] is not None):
                head_start = match.end() if opened is not True else head_start
    return found


def _is_function(head):
    text = head.strip()
    if "(" not in text or re.search(r"=\s*$", text):
        return False
    before = text[:text.index("(")]
    if re.search(r"(^|[^=!<>])=[^=]*$", before) and "operator" not in before:
        return False
    return re.search(r"\)[\w\s:&>,<*()\[\]{}.\"'!=|+-]*$", text) is not None


def _name_of(head):
    match = re.search(r"([~\w:]+(?:<[^()]*>)?|operator\W+)\s*\(", head)
    return match.group(1) if match else "?"
