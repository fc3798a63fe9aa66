"""Cases of the whole agent, from files to the output `blackhole`."""
import os
import subprocess
import time

import peers
from common import (MB, Process, Scratch, SkipCase, fill, free_port, http_get, median, metric, warm)

# kind of data, number of files
FILE_CASES = {
    "raw": ("raw", 1),
    "cri": ("cri", 1),
    "docker_json": ("docker_json", 1),
    "json_body": ("json_body", 1),
    "nginx_regex": ("nginx", 1),
    "many_files": ("raw", 64),
    "multiline_java": ("java", 1),
}
# Rows that only a time-out ends, which is none of the CPU time in question.
ROWS_LEFT = {"multiline_java": 1}
RAW_LINE_BYTES = 515  # log_lines.cc
PACE = "10MB"
PACE_SECONDS = 20
SETTLE_SECONDS = 3
IDLE_FILES = 10000
IDLE_SECONDS = 20
IDLE_PIPELINES = 2000
# A few and very many: a wake-up has to cost the same.
KNOWN_FILES = (10, 100000)
WAKE_UPS = 100
# Longer than the agent waits for more (50 ms): each line is a wake-up of its own.
WAKE_PAUSE_SECONDS = 0.1
IDLE_LINE = "a line of a file that nobody writes to any more\n"


class Agent(Process):
    """kelp-agent with the configuration of a case."""

    def __init__(self, bench, case, scratch, data, **values):
        self.port = free_port()
        config = fill(os.path.join(bench.root, "bench/cases", case + ".yaml"),
                      os.path.join(scratch, "agent.yaml"),
                      state=os.path.join(scratch, "state"), port=self.port, data=data, **values)
        super().__init__(bench, [bench.program("kelp-agent"), "-c", config])

    def metrics(self):
        return http_get(f"http://127.0.0.1:{self.port}/metrics") or ""

    def sent_rows(self, pipeline="bench"):
        """Of one pipeline; None: of all."""
        labels = {"pipeline": pipeline} if pipeline else {}
        return metric(self.metrics(), "kelp_output_sent_rows_total", **labels) or 0

    def wait_ready(self):
        self.wait_until(lambda: http_get(f"http://127.0.0.1:{self.port}/readyz") is not None,
                        "the agent's start", seconds=30)


def read_files(bench, case):
    """How fast files that are there are read, processed and acknowledged."""
    kind, files = FILE_CASES[case]
    data, size, rows = bench.data(kind, files)
    programs = [("kelp", lambda: kelp_reads(bench, case, data, rows))]
    for name in bench.peers:
        programs.append((name, lambda name=name: peers.measure(bench, name, case, data, size)))
    for name, run in programs:
        results = []
        try:
            for _ in range(bench.repeat):
                warm(data)
                cpu_ms, wall_s, rss_mb = run()
                results.append({
                    "program": name,
                    "mb_per_cpu_s": size / MB / (cpu_ms / 1000),
                    "mb_per_s": size / MB / wall_s,
                    "rows_per_cpu_s": round(rows / (cpu_ms / 1000)),
                    "cpu_ms": cpu_ms,
                    "rss_mb": rss_mb,
                })
        except SkipCase as reason:
            if name == "kelp":
                raise
            peers.skip(name, case, reason)
            continue
        yield median(results, "cpu_ms")


def kelp_reads(bench, case, data, rows):
    with Scratch(bench) as scratch:
        agent = Agent(bench, case, scratch, data)
        try:
            wall_s = agent.wait_until(lambda: agent.sent_rows() >= rows - ROWS_LEFT.get(case, 0),
                                      f"delivery of {rows} rows")
            rss_mb = agent.rss_mb()
        finally:
            cpu_ms = agent.stop()
    return cpu_ms, wall_s, rss_mb


def paced(bench, case):
    """What following a program that writes 10 MB/s costs."""
    results = []
    for _ in range(bench.repeat):
        with Scratch(bench) as scratch:
            data = os.path.join(scratch, "logs")
            os.mkdir(data)
            agent = Agent(bench, case, scratch, data)
            try:
                agent.wait_ready()
                cpu_begin, begin = agent.cpu_ns(), time.monotonic()
                writer = subprocess.run(
                    [bench.program("kelp_bench_generate"), "--kind", "raw", "--out",
                     os.path.join(data, "app.log"), "--pace", PACE, "--seconds", str(PACE_SECONDS)],
                    check=True, capture_output=True, text=True)
                rows = int(writer.stdout.rsplit(":", 1)[1].strip(" }\n"))
                agent.wait_until(lambda: agent.sent_rows() >= rows, "delivery of all rows", 30)
                wall_s = time.monotonic() - begin
                cpu_ms = (agent.cpu_ns() - cpu_begin) / 1e6
                rss_mb = agent.rss_mb()
            finally:
                agent.stop()
        size = rows * RAW_LINE_BYTES
        results.append({
            "mb_per_s": size / MB / wall_s,
            "mb_per_cpu_s": size / MB / (cpu_ms / 1000),
            "cpu_ms": cpu_ms,
            "cpu_percent": cpu_ms / 10 / wall_s,
            "rss_mb": rss_mb,
        })
    yield median(results, "cpu_ms")


def idle_files(bench, case):
    """What 10 000 files cost that nobody writes to."""
    with Scratch(bench) as scratch:
        data = make_idle_files(scratch, 100)
        yield watch_idle(Agent(bench, case, scratch, data))


def idle_pipelines(bench, case):
    """The same files, five to each of 2 000 pipelines."""
    with Scratch(bench) as scratch:
        data = make_idle_files(scratch, IDLE_FILES // IDLE_PIPELINES)
        pipelines = os.path.join(scratch, "pipelines")
        os.mkdir(pipelines)
        for n in range(IDLE_PIPELINES):
            with open(os.path.join(pipelines, f"p{n}.yaml"), "w") as file:
                file.write(f"name: p{n}\n"
                           f"inputs: [{{type: file, include: ['{data}/{n:04d}/*.log'], "
                           f"start_at: beginning}}]\noutputs: [{{type: blackhole}}]\n")
        yield {"pipelines": IDLE_PIPELINES,
               **watch_idle(Agent(bench, case, scratch, data, pipelines=pipelines))}


def known_files(bench, case):
    """What it takes to know files: the start, memory, and one line that is written to one of them."""
    for files in KNOWN_FILES:
        with Scratch(bench) as scratch:
            data = make_idle_files(scratch, 100, files)
            agent = Agent(bench, "idle_files", scratch, data)
            yield watch_wake_ups(agent, os.path.join(data, "0000", "0.log"), files)


def watch_wake_ups(agent, path, files):
    try:
        begin = time.monotonic()
        agent.wait_until(lambda: agent.sent_rows(None) >= files, "delivery of all rows", 300, 0.5)
        start_s, start_cpu_ms = time.monotonic() - begin, agent.cpu_ns() / 1e6
        # The rest of the safety scan after the start, and free memory going back.
        time.sleep(5 * SETTLE_SECONDS)
        cpu_begin = agent.cpu_ns()
        time.sleep(WAKE_UPS * WAKE_PAUSE_SECONDS)
        idle_ms = (agent.cpu_ns() - cpu_begin) / 1e6
        cpu_begin = agent.cpu_ns()
        for _ in range(WAKE_UPS):
            with open(path, "a") as file:
                file.write(IDLE_LINE)
            time.sleep(WAKE_PAUSE_SECONDS)
        busy_ms = (agent.cpu_ns() - cpu_begin) / 1e6
        agent.wait_until(lambda: agent.sent_rows(None) >= files + WAKE_UPS, "the new rows", 30)
        rss_mb, rss_now_mb = agent.rss_mb(), agent.rss_mb(peak=False)
    finally:
        agent.stop()
    return {"files": files, "start_s": start_s, "start_cpu_ms": start_cpu_ms,
            "wake_up_us": (busy_ms - idle_ms) * 1000 / WAKE_UPS,
            "idle_cpu_percent": idle_ms / 10 / (WAKE_UPS * WAKE_PAUSE_SECONDS),
            "rss_mb": rss_mb, "rss_now_mb": rss_now_mb}


def make_idle_files(scratch, in_each_directory, files=IDLE_FILES):
    data = os.path.join(scratch, "logs")
    for i in range(files):
        directory = os.path.join(data, f"{i // in_each_directory:04d}")
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, f"{i}.log"), "w") as file:
            file.write(f"{i} {IDLE_LINE}")
    return data


def watch_idle(agent):
    try:
        begin = time.monotonic()
        # Scrapes of megabytes, twenty a second, would be what is measured.
        agent.wait_until(lambda: agent.sent_rows(None) >= IDLE_FILES, "delivery of all rows", 120,
                         pause=1)
        start_s = time.monotonic() - begin
        time.sleep(SETTLE_SECONDS)
        cpu_begin, begin = agent.cpu_ns(), time.monotonic()
        time.sleep(IDLE_SECONDS)
        cpu_ms = (agent.cpu_ns() - cpu_begin) / 1e6
        wall_s = time.monotonic() - begin
        rss_mb, rss_now_mb = agent.rss_mb(), agent.rss_mb(peak=False)
    finally:
        agent.stop()
    return {"files": IDLE_FILES, "start_s": start_s, "cpu_ms": cpu_ms,
            "cpu_percent": cpu_ms / 10 / wall_s, "rss_mb": rss_mb, "rss_now_mb": rss_now_mb}


CASES = {**{name: read_files for name in FILE_CASES}, "agent_10mbs": paced, "idle_files": idle_files,
         "idle_pipelines": idle_pipelines, "known_files": known_files}
