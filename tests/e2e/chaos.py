#!/usr/bin/env python3
"""Kills agent and server with SIGKILL at random while lines are written, and counts them all.

usage: chaos.py BIN_DIR [--seed N] [--kills N] [--seconds N] [--files N] [--rate N] [--keep]

Writers append numbered, checksummed lines to several files, sometimes half a line at a time, and
rotate them by renaming, going on for a few lines in the renamed file as real programs do. When all
is written and everything can be searched, every row is read back. Prints one JSON object; exit code
1 unless missing, duplicate and corrupt are 0.
"""
import argparse
import json
import os
import random
import re
import signal
import sys
import threading
import time
import zlib

sys.dont_write_bytecode = True
import kelp_e2e as e2e  # noqa: E402

LINE = re.compile(r"w(\d+) (\d{9}) ([0-9a-f]{8}) (.*)", re.DOTALL)
# No progress for so long means that the rest will never come.
STALL_SECONDS = 60
# With both programs running, no retry waits longer than that.
SETTLE_SECONDS = 3


def make_line(writer, number, chance):
    text = f"w{writer} {number:09d}"
    payload = "".join(chance.choices("abcdefghij klmnop=\"\\{}[]\t:,é", k=chance.randrange(5, 300)))
    return f"{text} {zlib.crc32((text + payload).encode()):08x} {payload}\n"


def intact(match):
    text = f"w{match[1]} {match[2]}"
    return zlib.crc32((text + match[4]).encode()) == int(match[3], 16)


class Writer(threading.Thread):
    """One program with one log file."""

    def __init__(self, directory, number, rate, seed):
        super().__init__(daemon=True)
        self.path = os.path.join(directory, f"app-{number}.log")
        self.number = number
        self.rate = rate
        self.chance = random.Random(seed)
        self.shift = number % 2 == 0
        self.rotations = 0
        self.written = 0
        self.stopped = threading.Event()

    def run(self):
        file = open(self.path, "ab", buffering=0)
        while not self.stopped.is_set():
            burst = self.chance.randrange(1, 40)
            for _ in range(burst):
                self.write_line(file)
            if self.chance.random() < 0.03:
                self.rotate()
                for _ in range(self.chance.randrange(0, 10)):
                    self.write_line(file)
                file.close()
                file = open(self.path, "ab", buffering=0)
            self.stopped.wait(burst / self.rate)
        file.close()

    def write_line(self, file):
        line = make_line(self.number, self.written, self.chance).encode()
        if self.chance.random() < 0.01:
            cut = self.chance.randrange(1, len(line))
            file.write(line[:cut])
            time.sleep(self.chance.random() * 0.05)
            line = line[cut:]
        file.write(line)
        self.written += 1

    def rotate(self):
        self.rotations += 1
        if not self.shift:
            os.rename(self.path, f"{self.path}.{self.rotations:06d}")
            return
        for n in range(self.rotations, 0, -1):
            older = f"{self.path}.{n - 1}" if n > 1 else self.path
            os.rename(older, f"{self.path}.{n}")


def kill_at_random(programs, kills, seconds, chance):
    """Kills each program so often, spread over the time, and starts it again a little later."""
    begin = time.monotonic()
    times = sorted((chance.random() * seconds, program) for program in range(len(programs))
                   for _ in range(kills))
    for at, index in times:
        time.sleep(max(0.0, begin + at - time.monotonic()))
        program = programs[index]
        # A program that still starts is a victim as good as any: recovery must survive it too.
        program.kill()
        time.sleep(chance.choice([0, 0, 0.1, 0.5]) * chance.random())
        program.start()
    time.sleep(max(0.0, begin + seconds - time.monotonic()))


def wait_until_searchable(server, agent, expected):
    """Until all rows are there and no more come (rows that come twice must not hide missing ones)."""
    last, since = None, time.monotonic()
    while True:
        server.check_alive()
        agent.check_alive()
        total = server.total()
        if total is not None and total != last:
            last, since = total, time.monotonic()
        quiet = time.monotonic() - since
        if quiet > (STALL_SECONDS if last is None or last < expected else SETTLE_SECONDS):
            return  # Reading back says what is wrong.
        time.sleep(0.2)


def count_rows(server, writers):
    """What is wrong with the rows that can be found: counts, and a line for each run of them."""
    seen = [bytearray(writer.written) for writer in writers]
    where = {}  # of a duplicate: its origins
    found = corrupt = 0
    examples = []
    for row in server.all_rows():
        found += 1
        match = LINE.fullmatch(row["body"])
        known = match and int(match[1]) < len(seen) and int(match[2]) < len(seen[int(match[1])])
        if not known or not intact(match):
            corrupt += 1
            examples.append(f"corrupt: {json.dumps(row)[:400]}")
            continue
        writer, number = int(match[1]), int(match[2])
        seen[writer][number] = min(255, seen[writer][number] + 1)
        if seen[writer][number] > 1:
            where.setdefault((writer, number), set()).add(row["origin"]["id"])
    missing = sum(marks.count(0) for marks in seen)
    duplicate = sum(count - 1 for marks in seen for count in marks if count > 1)
    for writer, marks in enumerate(seen):
        examples += [f"missing: {text}" for text in runs(writer, marks, lambda n: n == 0)]
        examples += [f"duplicate: {text}, newest origin of the first "
                     f"{' '.join(where.get((writer, first), []))}"
                     for text, first in runs(writer, marks, lambda n: n > 1, with_first=True)]
    return {"found": found, "missing": missing, "duplicate": duplicate, "corrupt": corrupt}, examples


def runs(writer, marks, wanted, with_first=False):
    """Neighbouring numbers as one text."""
    begin = None
    for number, count in enumerate(list(marks) + [1]):
        if wanted(count) and number < len(marks):
            begin = number if begin is None else begin
        elif begin is not None:
            text = f"w{writer} {begin:09d} to {number - 1:09d}"
            yield (text, begin) if with_first else text
            begin = None


def find_file(directory, text):
    """Which log file holds a missing line, and where."""
    line = text.split()[1] + " " + text.split()[2]
    for name in sorted(os.listdir(directory)):
        path = os.path.join(directory, name)
        with open(path, "rb") as file:
            offset = file.read().find((line + " ").encode())
        if offset >= 0:
            return f"{name} (inode {os.stat(path).st_ino}) at {offset}"
    return "no file"


def run(arguments):
    chance = random.Random(arguments.seed)
    with e2e.world(arguments.bin_dir, arguments.keep) as world:
        logs = world.file("logs")
        os.mkdir(logs)
        server = e2e.Server(world).start().wait_ready().make_logstore()
        agent = e2e.Agent(world, f"""
  - name: chaos
    inputs: [{{type: file, include: ['{logs}/*.log', '{logs}/*.log.*'], start_at: beginning}}]
    outputs: [{e2e.kelp_output(server)}]
""").start()
        writers = [Writer(logs, n, arguments.rate, chance.random()) for n in range(arguments.files)]
        for writer in writers:
            writer.start()
        kill_at_random([agent, server], arguments.kills, arguments.seconds, chance)
        for writer in writers:
            writer.stopped.set()
        for writer in writers:
            writer.join()
        written = sum(writer.written for writer in writers)
        server.wait_ready()
        begin = time.monotonic()
        wait_until_searchable(server, agent, written)
        result, examples = count_rows(server, writers)
        agent_code, server_code = agent.stop(), server.stop()
        print(json.dumps({
            "seed": arguments.seed, "written": written, **result,
            "rotations": sum(writer.rotations for writer in writers),
            "agent_kills": arguments.kills, "server_kills": arguments.kills,
            "catch_up_s": round(time.monotonic() - begin, 1)}))
        for line in examples[:40]:
            print(line + (f": {find_file(logs, line)}" if line.startswith("missing") else ""))
        bad = result["missing"] or result["duplicate"] or result["corrupt"]
        if bad:
            raise e2e.Failure("rows are not what was written")
        e2e.expect((agent_code, server_code) == (0, 0),
                   f"stopped with TERM, agent and server ended with {agent_code}, {server_code}")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin_dir", metavar="BIN_DIR")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--kills", type=int, default=10, help="of each program (default 10)")
    parser.add_argument("--seconds", type=float, default=25, help="of chaos (default 25)")
    parser.add_argument("--files", type=int, default=5, help="written at once (default 5)")
    parser.add_argument("--rate", type=int, default=400, help="lines a second a file (default 400)")
    parser.add_argument("--keep", action="store_true", help="keep the directory")
    arguments = parser.parse_args()
    arguments.bin_dir = e2e.find_bin_dir(arguments.bin_dir)
    print(f"chaos: seed {arguments.seed}", flush=True)
    try:
        run(arguments)
    except e2e.Failure as why:
        print(f"chaos: FAILED with seed {arguments.seed}: {why}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
