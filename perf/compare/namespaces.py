"""Two hosts on one machine: network namespaces joined by a veth pair, or by a wire with latency."""

import os
import re
import shutil
import subprocess
import tempfile
import time

ADDRESSES = ("10.77.0.1", "10.77.0.2")
INTERFACE = "vethx"
_WIRE_SECONDS = 10
_AGENT = """#!/bin/sh
name=$1
shift
exec ip netns exec "$name" unshare --uts sh -c 'hostname "$0" && exec sh -c "$1"' "$name" "$*"
"""


def why_not():
    """Why hosts cannot be made here, as a sentence; empty if they can."""
    if os.geteuid() != 0:
        return "two hosts are network namespaces, which only root can make: run it as root"
    if shutil.which("ip") is None:
        return "two hosts are made by the program ip: install iproute2"
    trial = f"xccl-trial-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", trial], capture_output=True, text=True,
                          check=False)
    if made.returncode != 0:
        return f"network namespaces cannot be made here: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", trial], check=False)
    return ""


class TwoHosts:
    """Two namespaces with one network between them. Use as a context: they go with it.

    With `delay_ms` a third namespace lies between the two, where the program at `wire` hands on each
    frame that much later."""

    def __init__(self, wire=None, delay_ms=0):
        stem = f"xccl-{os.getpid()}-{id(self) & 0xffff:x}"
        self.names = (f"{stem}-a", f"{stem}-b")
        self._between = f"{stem}-wire"
        self._wire = None
        self._made = []
        self._folder = tempfile.TemporaryDirectory(prefix="xccl-hosts-")
        self.agent = self._write_agent()
        try:
            if delay_ms:
                self._join_by_wire(wire, delay_ms)
            else:
                self._add(*self.names)
                _ip("link", "add", INTERFACE, "netns", self.names[0], "type", "veth", "peer", "name",
                    INTERFACE, "netns", self.names[1])
            for name, address in zip(self.names, ADDRESSES):
                _ip("-n", name, "address", "add", f"{address}/24", "dev", INTERFACE)
                for interface in ("lo", INTERFACE):
                    _ip("-n", name, "link", "set", interface, "up")
        except BaseException:
            self.end()
            raise

    def _add(self, *names):
        for name in names:
            _ip("netns", "add", name)
            self._made.append(name)

    def _join_by_wire(self, wire, delay_ms):
        self._add(*self.names, self._between)
        sides = ("left", "right")
        for name, side in zip(self.names, sides):
            _ip("link", "add", INTERFACE, "netns", name, "type", "veth", "peer", "name", side,
                "netns", self._between)
            _ip("-n", self._between, "link", "set", side, "up")
        self._wire = subprocess.Popen(
            ["ip", "netns", "exec", self._between, wire, *sides, str(delay_ms)],
            stdout=subprocess.PIPE, text=True)
        if self._wire.stdout.readline().strip() != "ready":
            raise RuntimeError(f"{wire} does not start")

    def _write_agent(self):
        """A program that is called as ssh is, and goes to a namespace of that name; there the host
        has that name, too."""
        path = os.path.join(self._folder.name, "agent")
        with open(path, "w", encoding="ascii") as file:
            file.write(_AGENT)
        os.chmod(path, 0o700)
        return path

    def enter(self, host):
        """The command before a program that is to run on host 0 or 1."""
        return ["ip", "netns", "exec", self.names[host]]

    def bytes_sent(self, host):
        """Bytes that host 0 or 1 has put on the wire so far, headers included."""
        text = subprocess.run(["ip", "-n", self.names[host], "-s", "-j", "link", "show", INTERFACE],
                              capture_output=True, text=True, check=True).stdout
        return int(re.search(r'"tx":\{"bytes":(\d+)', text).group(1))

    def wire_cpu_seconds(self):
        """CPU time that the wire with latency has taken so far; 0 without one."""
        if self._wire is None:
            return 0.0
        with open(f"/proc/{self._wire.pid}/stat", encoding="ascii") as file:
            words = file.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        if self._wire is not None:
            self._wire.terminate()
            deadline = time.monotonic() + _WIRE_SECONDS
            while self._wire.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            if self._wire.poll() is None:
                self._wire.kill()
                self._wire.wait()
            self._wire.stdout.close()
        for name in self._made:
            subprocess.run(["ip", "netns", "del", name], check=False)
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def _ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")


def xccl_environment(rank, rank_count, host_ranks):
    """What a rank needs that no launcher has started; rank 0 lives on host 0."""
    return {"XCCL_RANK": str(rank), "XCCL_SIZE": str(rank_count),
            "XCCL_LOCAL_RANK": str(rank % host_ranks), "XCCL_LOCAL_SIZE": str(host_ranks),
            "XCCL_ROOT": f"{ADDRESSES[0]}:7077", "XCCL_SECRET": "a-secret-of-this-comparison",
            "XCCL_SOCKET_IFNAME": INTERFACE}
