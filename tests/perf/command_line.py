"""Goal: every option does what it says, and bad ones, bad results and interruptions end as
documented. Method: runs with threads as ranks, and a few with xccl-run.

    command_line.py BIN
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import xml.dom.minidom

import launch
import nccl_tests_output

BIN = sys.argv[1]
QUICK = ["-b", "64", "-e", "1K", "-f", "4", "-n", "3", "-w", "1"]  # 3 rows


def perf(name="all_reduce"):
    return f"{BIN}/{name}_perf"


def run(options, ranks=2, name="all_reduce", environment=None, launcher="threads"):
    return launch.launchers(BIN)[launcher].run(perf(name), ranks, options, environment)


class Options(unittest.TestCase):
    def good(self, options, fields=13, rows=3, **how):
        done = run(QUICK + options, **how)
        self.assertEqual(done.code, 0, f"{options}\n{done.out}\n{done.err}")
        output = nccl_tests_output.parse(done.out, fields)
        self.assertEqual(len(output.rows), rows, done.out)
        self.assertEqual(output.verdict, "OK")
        return done, output

    def test_head_and_foot(self):
        done, _ = self.good([])
        lines = done.out.split("\n")
        self.assertRegex(lines[0], r"^# xccl-tests version [\d.]+ xccl-headers=\d+ xccl-library=\d+$")
        self.assertEqual(lines[1], "# Collective test starting: all_reduce_perf")
        self.assertEqual(lines[2], "# nThread 2 nGpus 1 minBytes 64 maxBytes 1024 step: 4(factor) "
                         "warmup iters: 1 iters: 3 agg iters: 1 validation: 1 graph: 0 unalign: 0")
        self.assertEqual(lines[3:5], ["#", "# Using devices"])
        self.assertRegex(lines[5], r"^#  Rank  0 Group  0 Pid +\d+ on +\S+ device  0 "
                         r"\[0000:00:00\] host memory, .+$")
        self.assertRegex(lines[6], r"^#  Rank  1 Group  0 .* device  1 ")
        self.assertEqual(lines[7], "#")
        self.assertEqual(lines[-6][:25], "# Avg bus bandwidth    : ")
        self.assertEqual(lines[-5:], ["#", "# Collective test concluded: all_reduce_perf", "#", "",
                                      ""])
        self.assertEqual(done.err, "")

    def test_ranks_of_one_thread(self):
        for name in ("all_reduce", "sendrecv", "alltoall"):
            launched = subprocess.run([perf(name), "-g", "3"] + QUICK, capture_output=True,
                                      text=True, check=False, env=launch.clean_environment())
            self.assertEqual(launched.returncode, 0, launched.stderr)
        self.good(["-g", "2"])  # 2 threads of 2 ranks

    def test_ways_to_measure(self):
        for options in (["-m", "3"], ["-z", "1"], ["-z", "2", "-m", "2"], ["-z", "3"], ["-G", "2"],
                        ["-y", "1"], ["-a", "0"], ["-a", "2"], ["-a", "3"], ["-p", "1"],
                        ["-R", "1"], ["-R", "2"], ["-u", "1"], ["-u", "3", "-d", "half"],
                        ["-x", "1"], ["-c", "3"], ["-C", "1"], ["-V", "32"], ["-D", "0"],
                        ["-T", "30"], ["-w", "0"]):
            with self.subTest(options):
                self.good(options)

    def test_no_check(self):
        _, output = self.good(["-c", "0"])
        self.assertEqual([row.wrong for row in output.rows], [[None, None]] * 3)

    def test_more_columns(self):
        self.good(["-I", "1", "-K", "1"], fields=13 + 8)
        self.good(["--percentiles"], fields=13 + 4)
        self.good(["-S", "1"], fields=13 + 2)

    def test_cycles_and_sizes(self):
        self.good(["-N", "2"], rows=6)
        self.good(["-b", "0", "-e", "64", "-f", "2"], rows=5)  # 0 8 16 32 64
        self.good(["-b", "0", "-e", "0"], rows=1)
        self.good(["-b", "16", "-e", "48", "-i", "16", "-f", "1"], rows=3)

    def test_memory_line(self):
        done, _ = self.good(["-M", "1"])
        self.assertRegex(done.out, r"\n# GPU memory usage     : Initialization [\d.]+ K?M?B \| "
                         r"User-Allocated [\d.]+ K?B \| Collective [\d.]+ K?M?B \| "
                         r"Total  [\d.]+ K?M?B\n#\n")

    def test_unknown_type_goes_on_with_float(self):
        done = run(QUICK + ["-d", "flaot"])
        self.assertEqual(done.code, 0)
        self.assertTrue(done.out.startswith("invalid type flaot, defaulting to float .. \n"))
        self.assertIn("did you mean 'float'", done.err)

    def test_sizes_are_cut_to_the_memory_before_it_is_taken(self):
        done, output = self.good(["-b", "1K", "-e", "1024G", "-f", "32"], rows=4,
                                 environment={"XCCL_TESTS_MEMORY": "256M"})
        # Three quarters of it, for two buffers of two ranks.
        cut = (256 << 20) * 3 // 16 - 128
        self.assertIn(f"\n#\n# Reducing maxBytes to {cut} due to memory limitation\n", done.out)
        self.assertEqual(output.rows[-1].size, 32 << 20)
        done = run(QUICK, environment={"XCCL_TESTS_MEMORY": "100"})
        self.assertEqual(done.code, 5)
        self.assertIn("no memory for 2 ranks", done.err)

    def test_traffic(self):
        _, output = self.good([], name="alltoallv", ranks=3,
                              environment={"NCCL_TESTS_ALLTOALLV_SPREAD": "0"})
        self.assertEqual(output.rows[2].size, 3 * 336)
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("0 512 64\n128 0 0\n16 16 32\n")
            file.flush()
            wanted = {"XCCL_TESTS_ALLTOALLV_MATRIX_FILE": file.name,
                      "XCCL_TESTS_ALLTOALLV_PRINT_SUMMARY": "1"}
            sized = ["-b", "1K", "-e", "1K"]
            done, output = self.good(sized, rows=1, name="alltoallv", ranks=3, environment=wanted)
            self.assertEqual(output.rows[0].size, 576)
            self.assertIn("# rank 1 send_bytes 128 recv_bytes 528 ", done.out)
            refused = run(["-b", "8", "-e", "8"], 3, "alltoallv", wanted)
            self.assertEqual(refused.code, 6)
            self.assertIn("at least 576", refused.err)


class Reports(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def test_json_is_complete_and_never_overwritten(self):
        for _ in range(3):
            done = run(QUICK + ["-J", self.path("a.json"), "-I", "1"],
                       environment={"XCCL_SECRET": "this is not to be told", "HOME": "/nowhere"})
            self.assertEqual(done.code, 0, done.err)
        self.assertIn(f"# Writing JSON output to {self.path('a.json.1')}\n", done.out)
        self.assertEqual(sorted(os.listdir(self.folder)), ["a.json", "a.json.0", "a.json.1"])
        with open(self.path("a.json.1"), encoding="utf-8") as file:
            text = file.read()
        report = json.loads(text)
        self.assertNotIn("this is not to be told", text)
        self.assertFalse([entry for entry in report["env"] if entry.startswith("HOME")])
        self.assertEqual(len(report["results"]), 3)
        row = report["results"][0]
        self.assertEqual((row["size"], row["root"], row["redop"]), (64, "    -1", "sum"))
        self.assertEqual(len(row["out_of_place_per_iter"]["times_us"]), 3)
        self.assertEqual(len(report["config"]["devices"]), 2)
        self.assertEqual(report["out_of_bounds"], {"count": 0, "okay": "true"})

    def test_plot(self):
        done = run(QUICK + ["--plot", self.path("a.svg"), "-d", "all"])
        self.assertEqual(done.code, 0, done.err)
        document = xml.dom.minidom.parse(self.path("a.svg"))
        self.assertEqual(len(document.getElementsByTagName("polyline")), 12 * 2 * 2)

    def test_paths_that_cannot_be_written_end_the_run_before_it_starts(self):
        for options in (["-J", self.path("no/a.json")], ["--plot", self.path("no/a.svg")]):
            for launcher in ("threads", "xccl-run"):
                done = run(QUICK + options, launcher=launcher)
                self.assertEqual(done.code, 6, done.err)
                self.assertEqual(done.out, "")
                self.assertIn("No such file or directory", done.err)


class Endings(unittest.TestCase):
    def test_wrong_results_are_counted_and_told(self):
        done = run(QUICK, environment={"XCCL_TESTS_CORRUPT": "1:3"})
        self.assertEqual(done.code, 7)
        output = nccl_tests_output.parse(done.out)
        self.assertEqual([row.wrong for row in output.rows], [[1, 1]] * 3)
        self.assertEqual((output.out_of_bounds, output.verdict), (6, "FAILED"))
        self.assertRegex(done.err, r"wrong result: size 64 float sum out of place, rank 1, "
                         r"element 3: expected \S+, got \S+ \(1 wrong\)")

    def test_wrong_results_of_another_process(self):
        for name in ("all_gather", "broadcast", "alltoall"):
            done = run(QUICK, name=name, environment={"XCCL_TESTS_CORRUPT": "1:0"},
                       launcher="xccl-run")
            self.assertEqual(done.code, 7, done.err)
            self.assertEqual(nccl_tests_output.parse(done.out).verdict, "FAILED")

    def test_less_bandwidth_than_demanded(self):
        done = run(QUICK, environment={"NCCL_TESTS_MIN_BW": "1e9"})
        self.assertEqual(done.code, 7)
        self.assertEqual(nccl_tests_output.parse(done.out).average_verdict, "FAILED")
        done = run(QUICK, environment={"NCCL_TESTS_MIN_BW": "1e-9"})
        self.assertEqual(done.code, 0)
        self.assertEqual(nccl_tests_output.parse(done.out).average_verdict, "OK")

    def test_refusals(self):
        for options, code, text in (
                (["-b", "8x"], 255, "invalid size specified for 'minbytes'\n"),
                (["-b", "8", "-e", "4"], 255,
                 "invalid sizes for 'minbytes' and 'maxbytes': 8 > 4\n"),
                (["-D", "1"], 255, "device API"),
                (["--itres", "3"], 6, "did you mean 'iters'?\n"),
                (["-n", "none"], 6, "option -n: 'none' is not a number"),
                (["-t", "600", "-g", "2"], 5,
                 "Invalid number of GPUs: 1200 requested but only 1024 were found.\n"
                 "Please check the number of processes and GPUs per process.\n")):
            done = run(options)
            self.assertEqual((done.code, done.out), (code, ""), options)
            self.assertIn(text, done.err)
        for launcher in ("threads", "xccl-run"):  # one of all processes says it
            done = run(QUICK + ["-r", "9"], name="broadcast", launcher=launcher)
            self.assertEqual(done.code, 6)
            self.assertEqual(done.err.count("option -r 9: there is no such rank"), 1, done.err)

    def test_groups_run_side_by_side(self):
        done = run(QUICK, ranks=4, launcher="xccl-run", environment={"NCCL_TESTS_SPLIT": "MOD 2"})
        self.assertEqual(done.code, 0, done.err)
        self.assertRegex(done.out, r"#  Rank  1 Group  1 Pid ")
        self.assertNotIn("Rank  2", done.out)
        self.assertEqual(len(nccl_tests_output.parse(done.out).rows), 3)

    def interrupted(self, number):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.json")
            command = [perf(), "-t", "3", "-N", "0", "-J", path] + QUICK
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, env=launch.clean_environment()) as process:
                line = "#"
                while line.startswith("#"):  # until the first row
                    line = process.stdout.readline()
                process.send_signal(number)
                _, err = process.communicate(timeout=launch.TIMEOUT_S)
            self.assertEqual(process.returncode, 128 + number, err)
            self.assertEqual(err.count("interrupted by signal"), 1, err)
            with open(path, encoding="utf-8") as file:
                self.assertGreater(len(json.load(file)["results"]), 0)

    def test_an_interrupt_ends_all_ranks_and_closes_reports(self):
        self.interrupted(signal.SIGINT)
        self.interrupted(signal.SIGTERM)

    def test_a_peer_that_never_comes_is_a_timeout(self):
        with socket.socket() as free:  # a port that nobody uses
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        alone = {"XCCL_RANK": "0", "XCCL_SIZE": "2", "XCCL_ROOT": f"127.0.0.1:{port}",
                 "XCCL_SECRET": "sixteen bytes or more"}
        done = subprocess.run([perf(), "-T", "1"] + QUICK, capture_output=True, text=True,
                              check=False, timeout=launch.TIMEOUT_S,
                              env=launch.clean_environment() | alone)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("Test timeout (1s)", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:])
