"""Goal: two hosts made of namespaces reach each other, count what crosses, and leave nothing behind.
Method: real namespaces; a datagram is echoed over the plain wire and over the one with latency, and
the whole way is gone once through overlap_benchmark.

    namespaces_test.py FOLDER_OF_COMPARE FOLDER_OF_PROGRAMS
"""

import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, sys.argv.pop(1))

import namespaces  # noqa: E402

PROGRAMS = os.path.abspath(sys.argv.pop(1))
WIRE = os.path.join(PROGRAMS, "delayed_wire")
_PATIENCE_SECONDS = 30

_ECHO = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
    here.bind(("10.77.0.2", 7078))
    print("ready", flush=True)
    data, sender = here.recvfrom(1 << 16)
    here.sendto(data, sender)
"""
_ASK = """
import socket, time
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
    here.connect(("10.77.0.2", 7078))
    start = time.monotonic()
    here.send(bytes(1000))
    assert len(here.recv(1 << 16)) == 1000
    print(time.monotonic() - start)
"""


def echo(hosts):
    """Seconds that 1000 bytes take from host 0 to host 1 and back."""
    answering = subprocess.Popen([*hosts.enter(1), sys.executable, "-c", _ECHO],
                                 stdout=subprocess.PIPE, text=True)
    try:
        answering.stdout.readline()
        asked = subprocess.run([*hosts.enter(0), sys.executable, "-c", _ASK], capture_output=True,
                               text=True, timeout=_PATIENCE_SECONDS, check=True)
        return float(asked.stdout)
    finally:
        answering.kill()
        answering.wait()
        answering.stdout.close()


def names_of_namespaces():
    return subprocess.run(["ip", "netns", "list"], capture_output=True, text=True,
                          check=True).stdout


class Hosts(unittest.TestCase):
    def test_what_crosses_is_counted_and_nothing_stays(self):
        with namespaces.TwoHosts() as hosts:
            before = [hosts.bytes_sent(host) for host in range(2)]
            echo(hosts)
            for host in range(2):
                self.assertGreaterEqual(hosts.bytes_sent(host) - before[host], 1000)
            self.assertIn(hosts.names[0], names_of_namespaces())
        for name in hosts.names:
            self.assertNotIn(name, names_of_namespaces())

    def test_a_wire_with_latency_has_it_each_way(self):
        with namespaces.TwoHosts(WIRE, 20) as hosts:
            echo(hosts)  # finds out addresses first
            self.assertGreaterEqual(echo(hosts), 0.040)

    def test_a_wire_that_does_not_start_is_an_error_and_nothing_stays(self):
        with self.assertRaises(RuntimeError):
            namespaces.TwoHosts("/bin/false", 5)
        self.assertNotIn(f"xccl-{os.getpid()}-", names_of_namespaces())

    def test_an_all_reduce_overlaps_between_hosts(self):
        program = os.path.join(PROGRAMS, "overlap_benchmark")
        with namespaces.TwoHosts(WIRE, 5) as hosts:
            ranks = [subprocess.Popen(
                [*hosts.enter(rank), program, "--bytes", "100000", "--rounds", "3"],
                env={**os.environ, **namespaces.xccl_environment(rank, 2, 1)},
                stdout=subprocess.PIPE, text=True) for rank in range(2)]
            try:
                texts = [rank.communicate(timeout=_PATIENCE_SECONDS)[0] for rank in ranks]
            finally:
                for rank in ranks:
                    rank.kill()
        self.assertEqual([rank.returncode for rank in ranks], [0, 0])
        rows = [json.loads(line) for line in texts[0].splitlines()]
        self.assertEqual([row["way"] for row in rows], ["polling", "silent"])
        for row in rows:
            self.assertGreater(row["reduce_us"], 5000)  # it did cross the wire
            self.assertIsNotNone(row["hidden"])


if __name__ == "__main__":
    reason = namespaces.why_not()
    if reason:
        print(reason)
        sys.exit(77)
    unittest.main()
