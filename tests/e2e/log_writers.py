"""Programs that write numbered, checksummed lines, and every way in which their files are rotated.

A writer never loses a line by itself: where a tool leaves a gap (copytruncate: between copy and
truncation), it writes nothing meanwhile. So each line it wrote is in some file until the end.
"""
import datetime
import gzip
import json
import os
import random
import re
import shutil
import subprocess
import threading
import time
import zlib

LINE = re.compile(r"w(\d+) (\d{9}) ([0-9a-f]{8}) (.*)", re.DOTALL)
PAYLOAD = "abcdefghij klmnop=\"\\{}[]\t:,é"
# Containers' runtimes cut what is longer into pieces; small here, so that it happens often.
CRI_PIECE = 100
# Kubelet keeps the newest rotated file as it is and compresses those before.
KUBELET_PLAIN_FILES = 1
LOGROTATE_SECONDS = 30


def make_line(writer, number, chance):
    """One line, without its end."""
    text = f"w{writer} {number:09d}"
    payload = "".join(chance.choices(PAYLOAD, k=chance.randrange(5, 300)))
    return f"{text} {zlib.crc32((text + payload).encode()):08x} {payload}"


def parse_line(body):
    """Writer and number of an intact line; None for any other."""
    match = LINE.fullmatch(body)
    if not match:
        return None
    text = f"w{match[1]} {match[2]}"
    if zlib.crc32((text + match[4]).encode()) != int(match[3], 16):
        return None
    return int(match[1]), int(match[2])


class Writer(threading.Thread):
    """One program with one log file, renamed to NAME.NUMBER now and then."""

    kind = "rename"
    # So long at least between two rotations.
    rotate_pause = 0.0

    def __init__(self, directory, number, rate, seed):
        super().__init__(daemon=True)
        self.number = number
        self.directory = directory
        self.path = self.make_path()
        self.rate = rate
        self.chance = random.Random(seed)
        self.rotations = 0
        self.written = 0
        self.rotated_at = 0.0
        self.stopped = threading.Event()
        self.error = None

    def make_path(self):
        return os.path.join(self.directory, f"{self.kind}-{self.number}.log")

    def run(self):
        try:
            self.write_until_stopped()
        except Exception as error:  # A dead writer must fail the test, not shorten it.
            self.error = error

    def write_until_stopped(self):
        file = self.open()
        while not self.stopped.is_set():
            burst = self.chance.randrange(1, 40)
            for _ in range(burst):
                self.write_line(file)
            due = time.monotonic() - self.rotated_at >= self.rotate_pause
            if due and self.chance.random() < 0.12:
                self.rotations += 1
                file = self.rotate(file)
                self.rotated_at = time.monotonic()
            self.stopped.wait(burst / self.rate)
        file.close()

    def open(self):
        return open(self.path, "ab", buffering=0)

    def format(self, line):
        return line + "\n"

    def write_line(self, file):
        data = self.format(make_line(self.number, self.written, self.chance)).encode()
        if self.chance.random() < 0.01:
            cut = self.chance.randrange(1, len(data))
            file.write(data[:cut])
            time.sleep(self.chance.random() * 0.05)
            data = data[cut:]
        file.write(data)
        self.written += 1

    def reopen(self, file):
        """The old file gets a few more lines, as from a program that has not noticed yet."""
        for _ in range(self.chance.randrange(0, 10)):
            self.write_line(file)
        file.close()
        return self.open()

    def rotate(self, file):
        os.rename(self.path, f"{self.path}.{self.rotations:06d}")
        return self.reopen(file)


class ChainWriter(Writer):
    """The whole chain moves: NAME.1 to NAME.2, NAME to NAME.1."""
    kind = "chain"

    def rotate(self, file):
        for n in range(self.rotations, 0, -1):
            os.rename(f"{self.path}.{n - 1}" if n > 1 else self.path, f"{self.path}.{n}")
        return self.reopen(file)


class ReplaceWriter(Writer):
    """The new file is made beside and renamed over the old name, which has a second name by then."""
    kind = "replace"

    def rotate(self, file):
        os.link(self.path, f"{self.path}.{self.rotations:06d}")
        fresh = open(self.path + ".new", "ab", buffering=0)
        self.write_line(fresh)
        os.rename(self.path + ".new", self.path)
        file.close()
        return fresh


class Logrotate(Writer):
    """The real logrotate, told to rotate at once."""
    kind = "logrotate"
    options = "create"
    copies = False
    sequence = 0

    def rotate(self, file):
        config = os.path.join(self.directory, f".{self.kind}-{self.number}.conf")
        with open(config, "w") as out:
            out.write(f'"{self.path}" {{ {self.options.replace(",", chr(10))}\n'
                      f'rotate 100000\nmissingok\n}}\n')
        os.chmod(config, 0o644)
        done = subprocess.run(["logrotate", "-f", "-s", config + ".state", config],
                              capture_output=True, text=True, timeout=LOGROTATE_SECONDS)
        if done.returncode != 0 or "error" in done.stderr:
            raise RuntimeError(f"logrotate: {done.stderr}")
        return file if self.copies else self.reopen(file)


class LogrotateDelayCompress(Logrotate):
    kind = "delaycompress"
    options = "create,compress,delaycompress"


class LogrotateDateext(Logrotate):
    kind = "dateext"
    options = "create,dateext,dateformat -%Y%m%d-%s"
    rotate_pause = 1.1  # its stamps have seconds


class LogrotateCopytruncate(Logrotate):
    kind = "copytruncate"
    options = "copytruncate"
    copies = True


class LogrotateCopytruncateCompress(Logrotate):
    kind = "copytruncatecompress"
    options = "copytruncate,compress"
    copies = True


class CriWriter(Writer):
    """A container under containerd, rotated as the kubelet does it: NAME.TIME, later .gz."""
    kind = "cri"
    rotate_pause = 1.1

    def make_path(self):
        pod = os.path.join(self.directory,
                           f"chaos_pod-{self.number}_{self.number:08d}-0000-4000-8000-000000000000")
        os.makedirs(os.path.join(pod, "app"))
        return os.path.join(pod, "app", "0.log")

    def format(self, line):
        stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
        stream = self.chance.choice(["stdout", "stderr"])
        out = ""
        while self.chance.random() < 0.7 and len(line) > CRI_PIECE:
            out += f"{stamp} {stream} P {line[:CRI_PIECE]}\n"
            line = line[CRI_PIECE:]
        return out + f"{stamp} {stream} F {line}\n"

    def rotate(self, file):
        stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
        os.rename(self.path, f"{self.path}.{stamp}")
        file = self.reopen(file)
        rotated = sorted(name for name in os.listdir(os.path.dirname(self.path))
                         if re.fullmatch(r"0\.log\.[\d-]+", name))
        for name in rotated[:-KUBELET_PLAIN_FILES]:
            compress(os.path.join(os.path.dirname(self.path), name))
        return file


class DockerWriter(ChainWriter):
    """Docker's json-file driver with max-size."""
    kind = "docker"

    def make_path(self):
        container = os.path.join(self.directory, f"{self.number:064x}")
        os.makedirs(container)
        return os.path.join(container, f"{self.number:064x}-json.log")

    def format(self, line):
        stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
        stream = self.chance.choice(["stdout", "stderr"])
        out = ""
        while self.chance.random() < 0.7 and len(line) > CRI_PIECE:
            out += json.dumps({"log": line[:CRI_PIECE], "stream": stream, "time": stamp}) + "\n"
            line = line[CRI_PIECE:]
        return out + json.dumps({"log": line + "\n", "stream": stream, "time": stamp}) + "\n"


def compress(path):
    """As the kubelet: to NAME.tmp, then NAME.gz, then the plain one goes."""
    with open(path, "rb") as plain, gzip.open(path + ".tmp", "wb") as packed:
        shutil.copyfileobj(plain, packed)
    os.rename(path + ".tmp", path + ".gz")
    os.remove(path)


PLAIN_KINDS = [Writer, ChainWriter, ReplaceWriter, Logrotate, LogrotateDelayCompress,
               LogrotateDateext, LogrotateCopytruncate, LogrotateCopytruncateCompress]


def read_text(path):
    """A log file as it is now, whatever it was packed with."""
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rb") as file:
        return file.read()
