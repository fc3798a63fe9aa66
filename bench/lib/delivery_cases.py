"""How long a line takes from its write to its acknowledgement, alone and beside noisy neighbours.

The server acknowledges a line when it is on its disk; the agent's ledger counts it as delivered. The
harness writes lines with known times, asks the ledger often, and takes a line's time from its write to
the first answer that counts it.
"""
import json
import os
import subprocess
import threading
import time

from agent_cases import PACE, PACE_SECONDS, Agent
from common import Scratch, SkipCase, http_get, median, quantile
from kelp_server import LOGSTORE, PROJECT, Server

ASK_SECONDS = 0.005
# The line before must be read by then, or the case fails.
LATE_SECONDS = 30
# One probing file beside the paced writer.
PROBE_LINES_A_SECOND = 50
SLOW_FILES = 99
SLOW_LINES_A_SECOND = 2
NOISY_PACE = "400MB"
NOISY_SECONDS = 12


class Probes:
    """Files that get a line each so often, and when each line was acknowledged."""

    def __init__(self, directory, count, lines_a_second):
        self.files = [open(os.path.join(directory, f"probe-{n}.log"), "a", buffering=1)
                      for n in range(count)]
        self.written = {file.name: [] for file in self.files}
        self.acknowledged = {file.name: 0 for file in self.files}
        self.times = []
        self.pause = 1 / lines_a_second / count
        self.ending = False
        self.thread = threading.Thread(target=self.write, daemon=True)

    def write(self):
        turn = 0
        begin = time.monotonic()
        while not self.ending:
            file = self.files[turn % len(self.files)]
            self.written[file.name].append(time.monotonic())
            file.write(f"probe {turn} of {os.path.basename(file.name)}\n")
            turn += 1
            time.sleep(max(0.0, begin + turn * self.pause - time.monotonic()))

    def see(self, entries):
        """Entries of the ledger as they are now."""
        now = time.monotonic()
        for entry in entries:
            name, delivered = entry.get("name"), entry["figures"]["delivered_rows"]
            if name not in self.acknowledged:
                continue
            for written in self.written[name][self.acknowledged[name]:delivered]:
                self.times.append(now - written)
            self.acknowledged[name] = max(delivered, self.acknowledged[name])

    def outstanding(self):
        return sum(len(times) for times in self.written.values()) - len(self.times)


def ledger(agent):
    text = http_get(f"http://127.0.0.1:{agent.port}/api/v1/ledger?pipeline=bench")
    return json.loads(text)["entries"] if text else []


def latency(bench, case):
    """One file with 50 lines a second beside one that grows by 10 MB a second."""
    results = [measure(bench, 1, PROBE_LINES_A_SECOND, PACE, PACE_SECONDS)
               for _ in range(bench.repeat)]
    yield median(results, "p99_ms")


def noisy(bench, case):
    """99 slow files beside one that is written as fast as the disk takes it."""
    results = [measure(bench, SLOW_FILES, SLOW_LINES_A_SECOND, NOISY_PACE, NOISY_SECONDS)
               for _ in range(bench.repeat)]
    yield median(results, "p99_ms")


def measure(bench, files, lines_a_second, pace, seconds):
    with Scratch(bench) as scratch:
        data = os.path.join(scratch, "logs")
        os.mkdir(data)
        server = Server(bench, scratch)
        try:
            server.start()
            agent = Agent(bench, "end_to_end", scratch, data, url=server.url,
                          token_file=server.agent_token_file, project=PROJECT, logstore=LOGSTORE)
            try:
                agent.wait_ready()
                cpu_begin = agent.cpu_ns()
                probes = Probes(data, files, lines_a_second)
                probes.thread.start()
                writer = subprocess.Popen(
                    [bench.program("kelp_bench_generate"), "--kind", "raw", "--out",
                     os.path.join(data, "app.log"), "--pace", pace, "--seconds", str(seconds)],
                    stdout=subprocess.DEVNULL)
                while writer.poll() is None:
                    probes.see(ledger(agent))
                    time.sleep(ASK_SECONDS)
                cpu_ms = (agent.cpu_ns() - cpu_begin) / 1e6
                finish(agent, probes)
                rss_mb = agent.rss_mb()
            finally:
                agent.stop()
        finally:
            server.stop()
    return {"p50_ms": quantile(probes.times, 0.5) * 1000, "p99_ms": quantile(probes.times, 0.99) * 1000,
            "max_ms": max(probes.times) * 1000, "probes": len(probes.times), "cpu_ms": cpu_ms,
            "rss_mb": rss_mb}


def finish(agent, probes):
    """No line is left out: one that never came would be the slowest of all."""
    probes.ending = True
    probes.thread.join()
    end = time.monotonic() + LATE_SECONDS
    while probes.outstanding() > 0:
        probes.see(ledger(agent))
        if time.monotonic() > end:
            raise SkipCase(f"{probes.outstanding()} lines were not acknowledged within {LATE_SECONDS} s")
        time.sleep(ASK_SECONDS)


CASES = {"latency_10mbs": latency, "noisy_neighbour": noisy}
