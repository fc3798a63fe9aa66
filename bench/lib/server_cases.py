"""end_to_end: from a file through agent and server until a search finds the row."""
import os
import subprocess
import time

from agent_cases import PACE, PACE_SECONDS, Agent
from common import MB, Scratch, median, quantile, warm
from kelp_server import LOGSTORE, PROJECT, Server

# The server's work is far slower than the agent's; so much shows its rate.
BULK_BYTES_MAX = 512 << 20
PROBE_PAUSE_SECONDS = 0.1
# A probe that is not found by then counts with that time.
PROBE_SECONDS_MAX = 10


def end_to_end(bench, case):
    results = []
    for _ in range(bench.repeat):
        results.append({**throughput(bench, case), **latency(bench, case)})
    yield median(results, "p99_ms")


def start_agent(bench, case, scratch, data, server):
    return Agent(bench, case, scratch, data, url=server.url, token_file=server.agent_token_file,
                 project=PROJECT, logstore=LOGSTORE)


def throughput(bench, case):
    """A file that is there: both programs' CPU time until the server has acknowledged all of it."""
    data, size, rows = bench.data("raw", bytes=min(bench.bytes, BULK_BYTES_MAX))
    warm(data)
    with Scratch(bench) as scratch:
        server = Server(bench, scratch)
        try:
            server.start()
            agent = start_agent(bench, case, scratch, data, server)
            try:
                wall_s = agent.wait_until(lambda: agent.sent_rows() >= rows,
                                          f"delivery of {rows} rows")
                rss_mb = agent.rss_mb()
            finally:
                agent_ms = agent.stop()
            server_rss_mb = server.rss_mb()
            stored_rows, stored_bytes = server.stored()
        finally:
            server_ms = server.stop()
    return {
        "mb_per_s": size / MB / wall_s,
        "mb_per_cpu_s": size / MB / ((agent_ms + server_ms) / 1000),
        "rows_per_cpu_s": round(rows / ((agent_ms + server_ms) / 1000)),
        "cpu_ms": agent_ms + server_ms,
        "agent_cpu_ms": agent_ms,
        "rss_mb": rss_mb,
        "server_rss_mb": server_rss_mb,
        "bytes_per_row": stored_bytes / max(1, stored_rows),
        "missing_rows": rows - stored_rows,
    }


def latency(bench, case):
    """Beside a program that writes 10 MB/s: time from a line's write until a search shows it."""
    with Scratch(bench) as scratch:
        data = os.path.join(scratch, "logs")
        os.mkdir(data)
        server = Server(bench, scratch)
        try:
            server.start()
            agent = start_agent(bench, case, scratch, data, server)
            try:
                agent.wait_ready()
                writer = subprocess.Popen(
                    [bench.program("kelp_bench_generate"), "--kind", "raw", "--out",
                     os.path.join(data, "app.log"), "--pace", PACE, "--seconds", str(PACE_SECONDS)],
                    stdout=subprocess.DEVNULL)
                times = probe(server, os.path.join(data, "probe.log"), writer)
            finally:
                agent.stop()
        finally:
            server.stop()
    return {"p50_ms": quantile(times, 0.5) * 1000, "p99_ms": quantile(times, 0.99) * 1000,
            "probes": len(times)}


def probe(server, path, writer):
    """Writes a line, waits until a search finds it, and again, as long as `writer` lives."""
    times = []
    with open(path, "a", buffering=1) as file:
        while writer.poll() is None:
            word = f"probe{time.time_ns():x}"
            begin = time.monotonic()
            file.write(f"the line of {word}\n")
            while time.monotonic() - begin < PROBE_SECONDS_MAX and not server.search(word):
                time.sleep(0.005)
            times.append(time.monotonic() - begin)
            time.sleep(PROBE_PAUSE_SECONDS)
    return times


CASES = {"end_to_end": end_to_end}
