"""Goal: runs of xccl-train do what they promise, with ranks that talk through the library alone.
Method: real processes, small models; what they print and write is looked at.

    runs_test.py FOLDER-OF-PROGRAMS [CLASS...]
"""

import html.parser
import os
import re
import resource
import signal
import sys
import time
import unittest
import xml.etree.ElementTree

import runs
from runs import TINY, RunsTest, is_alive, ranks_of

SVG = "{http://www.w3.org/2000/svg}"


class SameBits(RunsTest):
    """Parameters after 60 steps depend on the micro-batches, not on who computed them."""

    def checksum(self, ranks, *arguments, environment=None):
        metrics = self.train(ranks, "--steps", "60", *arguments, environment=environment)
        end = metrics[-1]
        self.assertEqual(end["steps"], 60)
        self.assertLess(end["loss_after"], end["loss_before"] - 1)
        return end["parameter_checksum"]

    def test_two_ranks_are_one_rank_that_accumulates(self):
        alone = self.checksum(1)
        self.assertEqual(self.checksum(0), alone, "without a launcher")
        self.assertEqual(self.checksum(2), alone)
        self.assertEqual(self.checksum(2, "--blocking"), alone, "without overlap")
        self.assertEqual(self.checksum(2, "--bucket-bytes", "5000"), alone, "in small buckets")
        self.assertEqual(self.checksum(2, environment={"XCCL_TRANSPORT": "tcp"}), alone, "over TCP")
        self.assertEqual(self.checksum(2, "--threads", "3"), alone, "with threads")
        self.assertNotEqual(self.checksum(1, "--seed", "2"), alone)

    def test_four_ranks_reproducibly(self):
        arguments = ["--micro-batch", "2", "--reproducible"]
        self.assertEqual(self.checksum(4, *arguments), self.checksum(1, *arguments))


class Overlap(RunsTest):
    def exposed(self, *arguments):
        """Seconds that the last rank waited for communication, each message 20 ms late, in the
        step that the machine disturbed least: seven buckets of 20 ms each, and a backward that is longer."""
        metrics = self.train(2, *arguments, "--steps", "5", "--layers", "3", "--channels", "48",
                             "--sequence-length", "128", "--batch", "128", "--micro-batch", "64",
                             "--bucket-bytes", "64K", "--generate", "0", "--evaluation-sequences",
                             "1", environment={"XCCL_DELAY_MS": "20"})
        return min(step["least_exposed_seconds"] for step in metrics if step["event"] == "step")

    def test_exposed_communication_falls_by_half(self):
        blocking = self.exposed("--blocking")
        overlapped = self.exposed()
        self.assertGreater(blocking, 0.1)  # there was something to hide
        self.assertLess(overlapped, blocking / 2)


class LostRank(RunsTest):
    def lose(self, ranks, lost):
        process = self.start(ranks, ["--text", self.text, "--metrics", "m.jsonl", "--report",
                                     "r.html", "--steps", "1000000"] + TINY
                             + ["--batch", "12", "--micro-batch", "4"])
        self.await_first_step(process)
        pids = ranks_of(process.pid)
        self.assertEqual(len(pids), ranks)
        os.kill(pids[lost], signal.SIGKILL)
        began = time.monotonic()
        _, err = process.communicate(timeout=runs.PATIENCE)
        self.assertLess(time.monotonic() - began, 10)
        self.assertNotEqual(process.returncode, 0)
        self.assertFalse([pid for pid in pids if is_alive(pid)], "orphans")
        self.assertEqual(len(re.findall(rf"^xccl-run: rank {lost} ", err, re.MULTILINE)), 1, err)
        said = re.findall("^xccl-train: .*", err, re.MULTILINE)
        self.assertLessEqual(len(said), 1, err)
        return said

    def test_the_others_end_and_one_says_why(self):
        said = self.lose(3, lost=1)
        self.assertRegex(said[0], r"rank 1\b")
        self.assert_left("m.jsonl")  # what was measured; no report, no part of one

    def test_rank_0_is_no_exception(self):
        self.lose(3, lost=0)


class Interrupt(RunsTest):
    def interrupted(self, interrupt, signal_number=signal.SIGINT):
        process = self.start(2, ["--text", self.text, "--metrics", "m.jsonl", "--report", "r.html",
                                 "--steps", "1000000"] + TINY)
        self.await_first_step(process)
        pids = ranks_of(process.pid)
        interrupt(process, pids)
        out, err = process.communicate(timeout=runs.PATIENCE)
        self.assertEqual(process.returncode, 128 + signal_number, out + err)
        self.assertFalse([pid for pid in pids if is_alive(pid)], "orphans")
        self.assert_left("m.jsonl", "r.html")
        end = self.metrics()[-1]
        self.assertEqual((end["event"], end["interrupted"]), ("end", True))
        steps = [line["step"] for line in self.metrics() if line["event"] == "step"]
        self.assertEqual(steps, list(range(end["steps"])))
        self.assertIn("interrupted", read(os.path.join(self.folder, "r.html")))
        self.assertIn("held-out loss", out)

    def test_of_one_rank(self):
        self.interrupted(lambda process, pids: os.kill(pids[1], signal.SIGINT))

    def test_of_the_launcher(self):
        self.interrupted(lambda process, pids: process.send_signal(signal.SIGINT))

    def test_of_all_at_once(self):
        """As a terminal does it, and the launcher hands it on besides."""
        def interrupt(process, pids):
            for pid in pids + [process.pid]:
                os.kill(pid, signal.SIGINT)
        self.interrupted(interrupt)

    def test_by_termination(self):
        self.interrupted(lambda process, pids: os.kill(pids[0], signal.SIGTERM), signal.SIGTERM)


class Report(RunsTest):
    """The page is whole, the metrics are JSON, and both say what the terminal says."""

    def test_page_and_metrics(self):
        code, out, err = self.run_to_end(2, ["--text", self.text, "--metrics", "m.jsonl",
                                             "--report", "r.html", "--steps", "12",
                                             "--evaluate-every", "5", "--prompt", "<b>&\n"] + TINY)
        self.assertEqual((code, err), (0, ""), out + err)
        self.assert_left("m.jsonl", "r.html")
        self.look_at_page(read(os.path.join(self.folder, "r.html")))
        self.look_at_metrics(self.metrics(), out)

    def look_at_page(self, page):
        html.parser.HTMLParser().feed(page)
        tree = xml.etree.ElementTree.fromstring(page)
        pictures = list(tree.iter(SVG + "svg"))
        self.assertEqual(len(pictures), 6)
        for picture in pictures:
            drawn = [element for element in picture.iter()
                     if element.tag in (SVG + "polyline", SVG + "polygon", SVG + "rect")]
            self.assertTrue(drawn, picture.get("aria-label"))
        points = tree.find(f".//{SVG}polyline").get("points").split()
        self.assertEqual(len(points), 12)
        self.assertEqual(len(list(tree.iter(SVG + "circle"))), 4)  # evaluations
        self.assertEqual(len(re.findall(r"\b(?:src|href|url)\b *[=(]", page)), 0)
        self.assertIn("<b>&", "".join(tree.find(".//{*}pre").itertext()))

    def look_at_metrics(self, metrics, out):
        events = [line["event"] for line in metrics]
        self.assertEqual(events[0], "run")
        self.assertEqual(events[-1], "end")
        self.assertEqual(events.count("step"), 12)
        self.assertEqual(events.count("evaluation"), 4)
        self.assertEqual(metrics[0]["ranks"], 2)
        end = metrics[-1]
        self.assertEqual(end["tokens"], 12 * 8 * 32)
        self.assertEqual(len(end["sample"]), 40)
        self.assertIn(f"{end['loss_before']:.4f} before, {end['loss_after']:.4f} after", out)
        self.assertIn(end["parameter_checksum"], out)
        self.assertTrue(out.rstrip().endswith("r.html"), out)
        for line in metrics:
            if line["event"] == "step":
                shares = sum(line[name] for name in ("compute", "exposed_communication", "input",
                                                     "optimizer", "other"))
                self.assertAlmostEqual(shares, 1, places=6)

    def test_time_ends_a_run_too(self):
        end = self.train(2, "--max-time", "0.5")[-1]
        self.assertGreaterEqual(end["seconds"], 0.5)
        self.assertGreater(end["steps"], 0)
        self.assertFalse(end["interrupted"])


class BadInput(RunsTest):
    """One line that says what is wrong and what to do, a documented code, and nothing behind."""

    def refused(self, ranks, arguments, code, *parts, environment=None, prepare=None):
        got, out, err = self.run_to_end(ranks, arguments, environment, prepare)
        self.assertEqual(got, code, out + err)
        lines = [line for line in err.split("\n") if line and not line.startswith("xccl-run: ")]
        self.assertEqual(len(lines), 1, err)
        self.assertTrue(lines[0].startswith("xccl-train: "), err)
        for part in parts:
            self.assertIn(part, lines[0])
        self.assert_left()

    def both(self, arguments, code, *parts):
        self.refused(0, arguments, code, *parts)
        self.refused(2, arguments, code, *parts)

    def file(self, name, content):
        path = os.path.join(self.texts, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def test_options(self):
        self.both(["--text", self.text, "--lerning-rate", "1"], 2, "--learning-rate")
        self.both(["--text", self.text, "--steps", "soon"], 2, "'soon' is not a whole number")
        self.refused(0, [], 2, "--text")

    def test_texts(self):
        self.both(["--text", "nowhere.txt"], 3, "nowhere.txt", "No such file")
        self.refused(0, ["--text", self.file("empty", b"")], 3, "is empty")
        self.refused(0, ["--text", self.file("binary", b"\x00\x01" * 5000)], 3, "zero byte")
        self.refused(2, ["--text", self.file("short", b"In the beginning")], 3, "too short")
        self.refused(0, ["--text", self.texts], 3, "Is a directory")
        if os.geteuid() != 0:  # root reads everything
            secret = self.file("secret", b"x" * 10000)
            os.chmod(secret, 0)
            self.refused(0, ["--text", secret], 3, "Permission denied")

    def test_ranks(self):
        self.refused(2, ["--text", self.text, "--batch", "7"], 2, "7", "2 ranks", "6 or 8")
        self.refused(3, ["--text", self.text] + TINY, 2, "3 ranks")

    def test_no_room(self):
        training = ["--text", self.text, "--steps", "2"] + TINY
        self.refused(2, training + ["--metrics", "/dev/full"], 4, "/dev/full", "No space left")
        self.refused(2, training + ["--report", "/nowhere/r.html"], 4, "/nowhere/r.html")

        def limit():  # stands for a disk that is nearly full
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, resource.RLIM_INFINITY))
        self.refused(0, training + ["--report", "r.html"], 4, "reserve room", "Free some space",
                     prepare=limit)

    def test_no_room_any_more(self):
        """The report fails when all is trained: that is said once, and other files are whole."""
        code, _, err = self.run_to_end(2, ["--text", self.text, "--steps", "2", "--metrics",
                                           "m.jsonl", "--report", "/dev/full"] + TINY)
        self.assertEqual(code, 4, err)
        self.assertEqual(len(re.findall("^xccl-train: ", err, re.MULTILINE)), 1, err)
        self.assertIn("No space left", err)
        self.assert_left("m.jsonl")
        self.assertEqual(self.metrics()[-1]["event"], "end")

    def test_missing_ranks(self):
        alone = {"XCCL_RANK": "0", "XCCL_SIZE": "2", "XCCL_LOCAL_RANK": "0", "XCCL_LOCAL_SIZE": "2",
                 "XCCL_JOB_ID": "0123456789abcdef:" + "ab" * 32, "XCCL_INIT_TIMEOUT_MS": "300"}
        self.refused(0, ["--text", self.text] + TINY, 5, environment=alone)
        self.refused(0, ["--text", "nowhere.txt"], 3, "No such file", environment=alone)
        self.refused(0, ["--text", self.text], 2, "XCCL_SIZE", environment={"XCCL_SIZE": "many"})

    def test_divergence(self):
        self.refused(2, ["--text", self.text, "--learning-rate", "100", "--clip", "0", "--warmup",
                         "0", "--steps", "500", "--report", "r.html"] + TINY, 1, "not finite",
                     "--learning-rate")

    def test_ranks_that_differ(self):
        """Each rank runs its own command line: a shell chooses by rank."""
        program = os.path.join(self.bin, "xccl-train")
        script = f'exec "{program}" --seed "$XCCL_RANK" "$@"'
        command = [os.path.join(self.bin, "xccl-run"), "-n", "2", "sh", "-c", script, "sh"]
        self.command = lambda ranks, arguments: command + arguments
        self.refused(2, ["--text", self.text] + TINY, 2, "rank 1", "other options")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


if __name__ == "__main__":
    RunsTest.bin = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
