#!/usr/bin/env python3
"""Kills agent and server with SIGKILL at random while lines are written, and counts them all.

usage: chaos.py BIN_DIR [--seed N] [--kills N] [--seconds N] [--rate N] [--only KIND,...] [--keep]

Programs append numbered, checksummed lines, sometimes half a line at a time, and their files are
rotated in every way there is, by the real logrotate among others (log_writers.py). Between agent and
server stands a proxy that refuses, stalls, answers 503, 429 and 200 itself, and loses, halves and
garbles answers; both programs are suspended now and then. When all is written and everything can be
searched, every row is read back. Prints one JSON object; exit code 1 unless missing, duplicate and corrupt are 0.
"""
import argparse
import collections
import json
import os
import random
import signal
import sys
import time

sys.dont_write_bytecode = True
import kelp_e2e as e2e  # noqa: E402
import log_writers  # noqa: E402
from fault_proxy import FaultProxy  # noqa: E402

# No progress for so long means that the rest will never come.
STALL_SECONDS = 60
# With both programs running, no retry waits longer than that.
SETTLE_SECONDS = 3
SUSPEND_SECONDS_MAX = 2.0


def make_writers(logs, arguments, chance):
    """Each kind twice: in a/, where rotated names are not followed by name, and in b/, where they are."""
    plan = [(kind, name) for name in "ab" for kind in log_writers.PLAIN_KINDS]
    plan += [(log_writers.CriWriter, "pods")] * 2 + [(log_writers.DockerWriter, "docker")] * 2
    for name in ("a", "b", "pods", "docker"):
        os.mkdir(os.path.join(logs, name))
    wanted = arguments.only.split(",") if arguments.only else None
    return [kind(os.path.join(logs, name), number, arguments.rate, chance.random())
            for number, (kind, name) in enumerate(plan)
            if wanted is None or kind.kind in wanted or f"{kind.kind}/{name}" in wanted]


def pipelines(logs, output):
    def pipeline(name, inputs):
        return f"  - name: {name}\n    inputs: [{inputs}]\n    outputs: [{output}]\n"
    start = "start_at: beginning"
    return (pipeline("a", f"{{type: file, include: ['{logs}/a/*.log'], {start}}}") +
            pipeline("b", f"{{type: file, include: ['{logs}/b/*.log', '{logs}/b/*.log[-.]*'], "
                          f"{start}}}") +
            pipeline("pods", f"{{type: pod_logs, root: '{logs}/pods', {start}}}") +
            pipeline("docker", f"{{type: file, include: ['{logs}/docker/*/*-json.log'], "
                               f"format: docker_json, {start}}}"))


def disturb(programs, arguments, chance):
    """Kills and suspends each program so often, spread over the time, and has it go on later."""
    begin = time.monotonic()
    events = [(chance.random() * arguments.seconds, index, kill)
              for index in range(len(programs))
              for kill in [True] * arguments.kills + [False] * (arguments.kills // 5)]
    for at, index, kill in sorted(events):
        time.sleep(max(0.0, begin + at - time.monotonic()))
        program = programs[index]
        if not kill:
            program.signal(signal.SIGSTOP)
            time.sleep(chance.random() * SUSPEND_SECONDS_MAX)
            program.signal(signal.SIGCONT)
            continue
        # A program that still starts is a victim as good as any: recovery must survive it too.
        program.kill()
        time.sleep(chance.choice([0, 0, 0.1, 0.5]) * chance.random())
        program.start()
    time.sleep(max(0.0, begin + arguments.seconds - time.monotonic()))


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
    seen = {writer.number: bytearray(writer.written) for writer in writers}
    where = collections.defaultdict(set)  # of a duplicate: its origins
    result = {"found": 0, "missing": 0, "duplicate": 0, "corrupt": 0}
    examples = []
    for row in server.all_rows():
        result["found"] += 1
        known = log_writers.parse_line(row["body"])
        if not known or known[0] not in seen or known[1] >= len(seen[known[0]]):
            result["corrupt"] += 1
            examples.append(f"corrupt: {json.dumps(row)[:400]}")
            continue
        writer, number = known
        seen[writer][number] = min(255, seen[writer][number] + 1)
        if seen[writer][number] > 1:
            where[known].add(row["origin"]["id"])
    for writer, marks in seen.items():
        result["missing"] += marks.count(0)
        result["duplicate"] += sum(count - 1 for count in marks if count > 1)
        examples += [f"missing: {text}" for text, _ in runs(writer, marks, lambda n: n == 0)]
        examples += [f"duplicate: {text}, newest origin of the first "
                     f"{' '.join(where[writer, first])}"
                     for text, first in runs(writer, marks, lambda n: n > 1)]
    return result, examples


def runs(writer, marks, wanted):
    """Neighbouring numbers: as one text, and the first."""
    begin = None
    for number, count in enumerate(list(marks) + [1]):
        if wanted(count) and number < len(marks):
            begin = number if begin is None else begin
        elif begin is not None:
            yield f"w{writer} {begin:09d} to {number - 1:09d}", begin
            begin = None


def find_file(directory, text):
    """Which log file holds a missing line, and where."""
    line = (" ".join(text.split()[1:3]) + " ").encode()
    for folder, _, names in os.walk(directory):
        for name in sorted(names):
            path = os.path.join(folder, name)
            offset = log_writers.read_text(path).find(line)
            if offset >= 0:
                return f"{path[len(directory) + 1:]} (inode {os.stat(path).st_ino}) at {offset}"
    return "no file"


def run(arguments):
    chance = random.Random(arguments.seed)
    with e2e.world(arguments.bin_dir, arguments.keep) as world:
        logs = world.file("logs")
        os.mkdir(logs)
        server = e2e.Server(world).start().wait_ready().make_logstore()
        proxy = FaultProxy(server.port, chance.random())
        output = e2e.kelp_output(server).replace(server.url, proxy.url)
        writers = make_writers(logs, arguments, chance)
        agent = e2e.Agent(world, pipelines(logs, output)).start().wait_ready()
        for writer in writers:
            writer.start()
        disturb([agent, server], arguments, chance)
        for writer in writers:
            writer.stopped.set()
        for writer in writers:
            writer.join()
            e2e.expect(writer.error is None, f"{writer.path}: {writer.error!r}")
        proxy.heal()
        written = sum(writer.written for writer in writers)
        server.wait_ready()
        begin = time.monotonic()
        wait_until_searchable(server, agent, written)
        result, examples = count_rows(server, writers)
        agent_code, server_code = agent.stop(), server.stop()
        rotations = collections.Counter()
        for writer in writers:
            rotations[writer.kind] += writer.rotations
        print(json.dumps({
            "seed": arguments.seed, "written": written, **result, "rotations": rotations,
            "agent_kills": arguments.kills, "server_kills": arguments.kills,
            "suspended": 2 * (arguments.kills // 5), "network_faults": proxy.faults,
            "catch_up_s": round(time.monotonic() - begin, 1)}))
        for line in examples[:40]:
            print(line + (f": {find_file(logs, line)}" if line.startswith("missing") else ""))
        bad = result["missing"] or result["duplicate"] or result["corrupt"]
        if bad:
            raise e2e.Failure(f"rows are not what was written (kept: {world.path})")
        e2e.expect((agent_code, server_code) == (0, 0),
                   f"stopped with TERM, agent and server ended with {agent_code}, {server_code}")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin_dir", metavar="BIN_DIR")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--kills", type=int, default=50, help="of each program (default 50)")
    parser.add_argument("--seconds", type=float, default=75, help="of chaos (default 75)")
    parser.add_argument("--rate", type=int, default=100, help="lines a second a file (default 100)")
    parser.add_argument("--only", default="", help="kinds of writers: rename, copytruncate/b, ...")
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
