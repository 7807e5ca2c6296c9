"""Whole runs of xccl-train, as tests see them."""

import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

PATIENCE = 120  # seconds: for a machine that is busy, not for one that is quick

# A model that is quick to train, and a step of two micro-batches.
TINY = ["--layers", "2", "--channels", "32", "--heads", "2", "--sequence-length", "32", "--batch",
        "8", "--micro-batch", "4", "--threads", "1", "--evaluation-sequences", "8", "--generate",
        "40"]

_WORDS = ("the and of to that in he shall unto for I his a lord they be is him not them it with "
          "all thou was god which my me said but ye their have thy will from as are when this out "
          "were upon by you up there hath then people came had house into on her come one we "
          "before your also day man children land men king city go").split()


def sentences(size, seed):
    """So many bytes of something like English, always the same."""
    dice = random.Random(seed)
    text = ""
    while len(text) < size:
        words = [dice.choice(_WORDS) for _ in range(dice.randint(4, 14))]
        text += " ".join(words).capitalize() + dice.choice([".", ".", ":", ";"]) + "\n"
    return text[:size]


def children_of(pid):
    """Processes that `pid` started and that have not ended."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def ranks_of(launcher):
    """The processes of the ranks that xccl-run started, in rank order."""
    ranks = {}
    for pid in children_of(launcher):
        try:
            with open(f"/proc/{pid}/environ", encoding="utf-8", errors="replace") as file:
                for entry in file.read().split("\0"):
                    if entry.startswith("XCCL_RANK="):
                        ranks[int(entry.split("=")[1])] = pid
        except OSError:
            pass  # it has ended
    return [ranks[rank] for rank in sorted(ranks)]


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class RunsTest(unittest.TestCase):
    """Runs start in an empty folder, which must hold what was asked for and nothing else."""

    bin = ""  # the folder of the programs

    @classmethod
    def setUpClass(cls):
        cls.texts = tempfile.mkdtemp(prefix="xccl-train-texts-")
        cls.text = os.path.join(cls.texts, "text.txt")
        with open(cls.text, "w", encoding="ascii") as file:
            file.write(sentences(60000, seed=1))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.texts)

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="xccl-train-run-")
        self.started = []

    def tearDown(self):
        for process in self.started:
            if process.poll() is None:
                for child in children_of(process.pid):
                    os.kill(child, signal.SIGKILL)
                process.kill()
            process.communicate()
        shutil.rmtree(self.folder)

    def command(self, ranks, arguments):
        program = [os.path.join(self.bin, "xccl-train")] + arguments
        if ranks == 0:
            return program  # without a launcher
        return [os.path.join(self.bin, "xccl-run"), "-n", str(ranks)] + program

    def start(self, ranks, arguments, environment=None, prepare=None):
        process = subprocess.Popen(self.command(ranks, arguments), cwd=self.folder, text=True,
                                   env={**os.environ, **(environment or {})}, errors="replace",
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   preexec_fn=prepare)
        self.started.append(process)
        return process

    def run_to_end(self, ranks, arguments, environment=None, prepare=None):
        """(exit code, stdout, stderr)"""
        process = self.start(ranks, arguments, environment, prepare)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err

    def train(self, ranks, *arguments, environment=None):
        """The metrics, a list of objects, of a run that must succeed."""
        code, out, err = self.run_to_end(
            ranks, ["--text", self.text, "--metrics", "m.jsonl"] + TINY + list(arguments),
            environment)
        self.assertEqual(code, 0, out + err)
        return self.metrics()

    def metrics(self):
        with open(os.path.join(self.folder, "m.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def await_first_step(self, process):
        """Returns when the run has written a step's metrics."""
        path = os.path.join(self.folder, "m.jsonl.part")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self.assertIsNone(process.poll(), "the run ended before its first step")
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    if '"event":"step"' in file.read():
                        return
            time.sleep(0.01)
        self.fail("no step within the patience")

    def assert_left(self, *names):
        self.assertEqual(sorted(os.listdir(self.folder)), sorted(names))
