"""What a report says of the machine, and of its disturbances during the run."""

import glob
import os
import platform
import re
import subprocess

_UNKNOWN_CACHE_BYTES = 64 << 20
# All ranks' cold buffers together: a cache of which four times are more counts as smaller.
_MOST_COLD_BYTES = 1 << 30


def description():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"model name\s*:\s*(.*)", file.read())
    with open("/proc/meminfo", encoding="utf-8") as file:
        kilobytes = int(re.search(r"MemTotal:\s*(\d+)", file.read()).group(1))
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return (f"{model.group(1) if model else platform.machine()}, "
            f"{len(os.sched_getaffinity(0))} cores, {kilobytes / 2**20:.0f} GiB, {system}, "
            f"Linux {platform.release()}")


def commit():
    """Short name of the commit; with "-dirty" if what is measured differs from it."""
    def git(*words):
        return subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    name = git("rev-parse", "--short=9", "HEAD").stdout.strip() or "unknown"
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "include",
                  "perf/compare", "perf/micro").stdout
    return name + ("-dirty" if changed else "")


def _available_bytes():
    with open("/proc/meminfo", encoding="utf-8") as file:
        return int(re.search(r"MemAvailable:\s*(\d+)", file.read()).group(1)) << 10


class Memory:
    """How much of the machine's memory a run may take."""

    def __init__(self):
        self.cache_bytes = cache_bytes()
        self.least_available = _available_bytes()
        self.cold_bytes = min(_MOST_COLD_BYTES, self.least_available // 8)

    def fits(self, needed):
        """Whether so much leaves half of what is there to others."""
        available = _available_bytes()
        self.least_available = min(self.least_available, available)
        return 2 * needed <= available


def cache_bytes():
    """Of the last-level cache, as the system tells it; where it does not, what servers have."""
    sizes = []
    for path in glob.glob("/sys/devices/system/cpu/cpu0/cache/index*/size"):
        with open(path, encoding="utf-8") as file:
            number, unit = re.fullmatch(r"(\d+)([KMG]?)", file.read().strip()).groups()
        sizes.append(int(number) << {"": 0, "K": 10, "M": 20, "G": 30}[unit])
    return max(sizes, default=_UNKNOWN_CACHE_BYTES)


class CpuTimes:
    """Shares of the processors' time since it was made."""

    def __init__(self):
        self._start = self._read()

    @staticmethod
    def _read():
        with open("/proc/stat", encoding="utf-8") as file:
            return [int(word) for word in file.readline().split()[1:9]]

    def stolen_percent(self):
        passed = [now - then for now, then in zip(self._read(), self._start)]
        return 100 * passed[7] / max(1, sum(passed))

    @staticmethod
    def load():
        return os.getloadavg()[0]
