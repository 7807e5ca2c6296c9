"""The loops of compiled kernels: found in a disassembly, and counted by llvm-mca's model of a core."""

import json
import re
import shutil
import subprocess
import sys

VECTOR_BYTES = 64
FIRST_VERSION = 17  # older ones take Sapphire Rapids for a Skylake, with other ports
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S.*?)\s*(?:#.*)?$")
JUMP = re.compile(r"^(j[a-z]+)\s+(?:0x)?([0-9a-f]+)\b")
LEAVING = re.compile(r"^(ret|call|jmp|ud2)")
STORE = re.compile(r"^vmov\S*\s+%zmm\d+,[^%]*\(")


def disassembly(program):
    """{name: [its instructions, as (address, text)]} of each function; several may have one name."""
    objdump = shutil.which("objdump")
    if objdump is None:
        sys.exit("objdump is missing; install binutils")
    result = subprocess.run([objdump, "-d", "-C", "--no-show-raw-insn", program],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit(f"objdump cannot read {program}: {result.stderr.strip()}; "
                 "build the target device_reduce_benchmark")
    return functions_of(result.stdout)


def functions_of(text):
    functions = []
    for line in text.splitlines():
        if header := re.match(r"^[0-9a-f]+ <(.*)>:$", line):
            functions.append((header[1], []))
        elif functions and (found := INSTRUCTION.match(line)):
            functions[-1][1].append((int(found[1], 16), found[2]))
    return functions


def stores_in(loop):
    return sum(bool(STORE.match(text)) for text in loop)


def loops_of(instructions):
    """The instructions of each loop that has no other inside, from its first to its jump back.

    What jumps back from behind a return is the rare way of a loop, moved out of it, and no loop.
    """
    jumps = []
    for place, (address, text) in enumerate(instructions):
        if (found := JUMP.match(text)) and int(found[2], 16) <= address:
            start = next((i for i, (at, _) in enumerate(instructions) if at == int(found[2], 16)),
                         None)
            if start is not None and not any(LEAVING.match(text)
                                             for _, text in instructions[start:place]):
                jumps.append((start, place))
    inner = [(start, end) for start, end in jumps
             if not any(start <= a and b <= end and (a, b) != (start, end) for a, b in jumps)]
    return [[text for _, text in instructions[start:end + 1]] for start, end in inner]


def main_loop(functions, part_of_name):
    """(its function's name, its instructions): the loop that stores most whole vectors a pass."""
    named = [(name, code) for name, code in functions if part_of_name in name]
    if not named:
        sys.exit(f"no function has '{part_of_name}' in its name; is this a program with symbols, "
                 "for x86-64, compiled by GCC 12 or later?")
    best = max(((name, loop) for name, code in named for loop in loops_of(code)),
               key=lambda found: stores_in(found[1]), default=None)
    if best is None or stores_in(best[1]) == 0:
        sys.exit(f"no loop of '{part_of_name}' stores vectors of 64 bytes; was it optimised?")
    return best


def as_source(loop):
    """The loop for an assembler: its last jump goes back, the others leave it."""
    lines = ["again:"]
    for place, text in enumerate(loop):
        text = text.split("<")[0].strip()
        if found := JUMP.match(text):
            text = f"{found[1]} {'again' if place == len(loop) - 1 else 'leave'}"
        lines.append(text)
    return "\n".join([*lines, "leave:", ""])


def find_llvm_mca(given=None):
    """(program, version), the newest there is, or the one that was given."""
    names = [given] if given else [*(f"llvm-mca-{n}" for n in range(40, FIRST_VERSION - 1, -1)),
                                   "llvm-mca"]
    program = next(filter(None, map(shutil.which, names)), None)
    wanted = "on Debian: apt-get install llvm-19; or give it with --llvm-mca"
    if program is None:
        sys.exit(f"{given or 'llvm-mca'} is missing; {wanted}")
    shown = subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True).stdout
    found = re.search(r"LLVM version (\d+)", shown)
    if not found:
        sys.exit(f"{program} does not tell its version, so it is no llvm-mca; {wanted}")
    if int(found[1]) < FIRST_VERSION:
        sys.exit(f"{program} is of LLVM {found[1]}, which has no model of Sapphire Rapids; "
                 f"{FIRST_VERSION} is the first that has; {wanted}")
    return program, int(found[1])


def modelled(loop, llvm_mca, core):
    """Instructions, uops, uops of each port and cycles that 64 bytes of result take."""
    passes = 1000
    result = subprocess.run([llvm_mca, f"-mcpu={core}", f"-iterations={passes}", "--json"],
                            input=as_source(loop), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True)
    if result.returncode:
        sys.exit(f"{llvm_mca} does not understand the loop: {result.stderr.strip()}\n"
                 + as_source(loop))
    report = json.loads(result.stdout)
    region = report["CodeRegions"][0]
    vectors = stores_in(loop)
    ports = {name: 0.0 for name in report["TargetInfo"]["Resources"]}
    names = list(ports)
    for use in region["ResourcePressureView"]["ResourcePressureInfo"]:
        if use["InstructionIndex"] == len(loop):  # the sum of all
            ports[names[use["ResourceIndex"]]] = use["ResourceUsage"] / vectors
    summary = region["SummaryView"]
    return {"instructions": len(loop) / vectors, "uops": summary["TotaluOps"] / passes / vectors,
            "ports": ports, "cycles": summary["TotalCycles"] / passes / vectors}
