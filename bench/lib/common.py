"""What all cases share: the set-up, generated data, processes and their CPU time."""
import glob
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import machine

MB = 1e6
# Long enough for the slowest peer we know (40 MB/s) over the default data, with room to spare.
RUN_SECONDS_MAX = 900


class SkipCase(Exception):
    """A case cannot be measured here; the text says why."""


def parse_bytes(text):
    match = re.fullmatch(r"(\d+)\s*([KMG]i?B|B)?", text)
    if not match:
        raise SystemExit(f"bench: not a size: {text}")
    units = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9,
             "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
    return int(match[1]) * units[match[2] or "B"]


class Bench:
    """The set-up of one run of bench/run."""

    def __init__(self, root, bin_dir, data_dir, bytes, repeat, rows, peers, save_to):
        self.root = root
        self.bin_dir = bin_dir
        self.data_dir = data_dir
        self.bytes = bytes
        self.repeat = repeat
        self.rows = rows
        self.peers = peers
        self.save_to = save_to
        self.machine = machine.description()
        self.commit = machine.commit(root)

    def program(self, name):
        path = os.path.join(self.bin_dir, name)
        if not os.access(path, os.X_OK):
            raise SkipCase(f"{path} is missing; make a release build, or give --release-dir")
        return path

    def data(self, kind, files=1, bytes=None):
        """A directory with generated logs; its path, bytes and rows."""
        bytes = bytes or self.bytes
        path = os.path.join(self.data_dir, f"{kind}-{files}-{bytes}")
        note = path + ".json"
        if not os.path.exists(note):
            shutil.rmtree(path, ignore_errors=True)
            os.makedirs(path)
            out = subprocess.run(
                [self.program("kelp_bench_generate"), "--kind", kind, "--out", path,
                 "--bytes", f"{bytes}B", "--files", str(files)],
                check=True, capture_output=True, text=True)
            with open(note, "w") as file:
                file.write(out.stdout)
        with open(note) as file:
            made = json.load(file)
        return path, made["bytes"], made["rows"]

    def report(self, case, result):
        line = {"case": case, "program": result.pop("program", "kelp")}
        line.update({key: round_figure(value) for key, value in result.items()})
        line.update(machine=self.machine, commit=self.commit)
        text = json.dumps(line)
        print(text, flush=True)
        if self.save_to:
            os.makedirs(os.path.dirname(self.save_to), exist_ok=True)
            with open(self.save_to, "a") as file:
                file.write(text + "\n")


def round_figure(value):
    """Three significant digits or so: more would pretend a precision that nobody has."""
    if not isinstance(value, float):
        return value
    return round(value, 3 if abs(value) < 10 else 1)


def median(results, key):
    """The result in the middle by `key`, with how many there were."""
    middle = sorted(results, key=lambda result: result[key])[len(results) // 2]
    return {**middle, "runs": len(results)}


def warm(path):
    """Reads every file below `path` once, so that the page cache holds it."""
    for name in glob.glob(os.path.join(path, "**"), recursive=True):
        if os.path.isfile(name):
            with open(name, "rb", buffering=0) as file:
                while file.read(1 << 20):
                    pass


def fill(template, target, **values):
    """Writes a copy of `template` with each @NAME@ replaced."""
    with open(template) as file:
        text = file.read()
    for name, value in values.items():
        text = text.replace(f"@{name.upper()}@", str(value))
    left = re.search(r"@[A-Z_]+@", text)
    if left:
        raise SystemExit(f"bench: {template}: nothing is known for {left[0]}")
    with open(target, "w") as file:
        file.write(text)
    return target


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def http_get(url, token=None, timeout=10):
    """The body of a 200 answer as text; None when there is none."""
    request = urllib.request.Request(url)
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.read().decode()
    except (OSError, urllib.error.URLError):
        return None


def metric(text, name, **labels):
    """The sum of a metric's values with these labels; None when there is none."""
    found, total = False, 0.0
    for line in text.splitlines():
        if not line.startswith(name + "{") and not line.startswith(name + " "):
            continue
        if all(f'{key}="{value}"' in line for key, value in labels.items()):
            found = True
            total += float(line.rsplit(" ", 1)[1])
    return total if found else None


class Process:
    """A program under measurement, with a directory of its own that goes when it ends."""

    def __init__(self, bench, arguments, cwd=None, environment=None):
        self.log = tempfile.NamedTemporaryFile("w+", prefix="kelp-bench-", suffix=".log")
        self.begin = time.monotonic()
        self.process = subprocess.Popen(arguments, cwd=cwd, stdout=self.log, stderr=self.log,
                                        env={**os.environ, **(environment or {})})
        self.pid = self.process.pid

    def alive(self):
        return self.process.poll() is None

    def check(self):
        if not self.alive():
            self.log.seek(0)
            tail = self.log.read()[-2000:]
            raise SkipCase(f"{self.process.args[0]} ended with {self.process.returncode}:\n{tail}")

    def wait_until(self, condition, what, seconds=RUN_SECONDS_MAX, pause=0.05):
        end = time.monotonic() + seconds
        while not condition():
            self.check()
            if time.monotonic() > end:
                raise SkipCase(f"{what} did not happen within {seconds} s")
            time.sleep(pause)
        return time.monotonic() - self.begin

    def cpu_ns(self):
        """CPU time of the threads that live, to the nanosecond."""
        total = 0
        for path in glob.glob(f"/proc/{self.pid}/task/*/schedstat"):
            try:
                with open(path) as file:
                    total += int(file.read().split()[0])
            except OSError:
                pass
        return total

    def cpu_ticks_ms(self):
        """CPU time of all threads, the ended ones too, in steps of 10 ms."""
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")

    def read_bytes(self):
        """Bytes that the program asked the system to read so far."""
        with open(f"/proc/{self.pid}/io") as file:
            return int(file.readline().split()[1])

    def rss_mb(self, peak=True):
        with open(f"/proc/{self.pid}/status") as file:
            for line in file:
                if line.startswith("VmHWM:" if peak else "VmRSS:"):
                    return int(line.split()[1]) * 1024 / MB
        return 0.0

    def stop(self, seconds=30):
        """Ends it with TERM; its user and system CPU time in milliseconds."""
        if not self.alive():
            return 0.0
        self.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + seconds
        while True:
            pid, _, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end:
                self.process.kill()
            time.sleep(0.01)
        self.process.returncode = 0
        self.log.close()
        return (usage.ru_utime + usage.ru_stime) * 1000


class Scratch:
    """A directory for one run."""

    def __init__(self, bench):
        os.makedirs(bench.data_dir, exist_ok=True)
        self.path = tempfile.mkdtemp(prefix="run-", dir=bench.data_dir)

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def quantile(values, q):
    return statistics.quantiles(values, n=1000, method="inclusive")[round(q * 1000) - 1]


def warn(text):
    print(f"bench: {text}", file=sys.stderr)
