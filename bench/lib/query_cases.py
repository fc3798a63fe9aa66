"""Searches over very many rows, SQL and statistics, and what the server holds while it works.

The `_100m` cases search bench.rows rows (100 000 000 unless --rows says otherwise: 20 GB raw, about
2.3 GB on disk) of src/store/bench_rows.h. They are made once for a run of bench/run and removed at
its end. A result says how far it is from the budget of its case.
"""
import atexit
import http.client
import json
import os
import shutil
import tempfile
import threading
import time
import urllib.parse

from common import MB, Scratch, SkipCase
from kelp_server import LOGSTORE, PROJECT, Server
from store_cases import run, stored_rows

THREADS = "2"
RAW_BYTES_PER_ROW = 200
DISK_BYTES_PER_ROW = 30

# case: (case of kelp_query_bench, figure, what it may be with 100 million rows)
SEARCHES = {
    "histogram_100m": ("histogram", "wall_ms", 500),
    "rare_word_100m": ("rare_word", "wall_ms", 200),
    "absent_word_100m": ("absent_word", "wall_ms", 100),
    "regex_100m": ("regex_scan", "wall_ms", 6000),
    "newest_100m": ("newest_100", "wall_ms", 50),
}
ROWS_OF_BUDGETS = 100_000_000
REGEX_GB_PER_CPU_S = 1.5
SQL = "SELECT k8s.pod.name, count(*) AS n GROUP BY 1"
SQL_BUDGET_MS = 250
TOP_VALUES_BUDGET_MS = 300

IDLE_SECONDS = 5
BUSY_SECONDS = 40
INGEST_BYTES_PER_SECOND = 20 * MB
POST_BYTES = 1 << 20
IDLE_BUDGET_MB = 60
BUSY_BUDGET_MB = 300

_many = {}


def many_rows(bench):
    """A store of bench.rows rows; goes when the program ends."""
    if bench.rows not in _many:
        os.makedirs(bench.data_dir, exist_ok=True)
        free = shutil.disk_usage(bench.data_dir).free
        needed = bench.rows * DISK_BYTES_PER_ROW * 2  # merging holds old and new segments
        if free < needed:
            raise SkipCase(f"{bench.rows} rows need {needed >> 30} GiB of disk; --rows for fewer")
        path = tempfile.mkdtemp(prefix="many-rows-", dir=bench.data_dir)
        atexit.register(shutil.rmtree, path, ignore_errors=True)
        run(bench, "kelp_store_bench", "store_ingest", "--rows", str(bench.rows), "--keep", path)
        _many[bench.rows] = path
    return _many[bench.rows]


def search(bench, case):
    name, figure, budget = SEARCHES[case]
    result = run(bench, "kelp_query_bench", name, name, "--threads", THREADS,
                 "--store", many_rows(bench), "--repeat", str(bench.repeat))
    result["stored_rows"] = bench.rows
    within = result[figure] <= budget
    if case == "regex_100m":
        # The other way to meet the budget: so much raw text for each second of a core.
        result["gb_per_cpu_s"] = bench.rows * RAW_BYTES_PER_ROW / 1e9 / (result["cpu_ms"] / 1000)
        within = within or result["gb_per_cpu_s"] >= REGEX_GB_PER_CPU_S
    # With fewer rows the figure says nothing about the budget.
    if bench.rows >= ROWS_OF_BUDGETS:
        result.update(budget_ms=budget, within_budget=within)
    yield result


def sql_group_by(bench, case):
    result = run(bench, "kelp_sql_bench", None, "--store", stored_rows(bench),
                 "--threads", THREADS, "--repeat", str(bench.repeat), SQL)
    yield {**result, "budget_ms": SQL_BUDGET_MS,
           "within_budget": result["cpu_ms"] <= SQL_BUDGET_MS}


def top_values(bench, case):
    result = run(bench, "kelp_query_bench", case, case, "--store", stored_rows(bench),
                 "--repeat", str(bench.repeat))
    yield {**result, "budget_ms": TOP_VALUES_BUDGET_MS,
           "within_budget": result["wall_ms"] <= TOP_VALUES_BUDGET_MS}


class Load:
    """Calls the server on a thread of its own until it is told to stop."""

    def __init__(self, server, step):
        self.server = server
        self.step = step
        self.count = 0
        self.problem = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            while not self._stop.is_set():
                self.step(connection, self.count)
                self.count += 1
        except (OSError, http.client.HTTPException, SkipCase) as problem:
            self.problem = problem


def call(connection, server, method, path, body=None):
    connection.request(method, f"/api/v1/projects/{PROJECT}/logstores/{LOGSTORE}{path}", body,
                       {"Authorization": "Bearer " + server.token})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status not in (200, 429, 503):
        raise SkipCase(f"{method} {path}: {answer.status} {text[:300]}")
    return answer.status


def rows_body():
    """JSON lines of about POST_BYTES: text of many words, a few fields."""
    lines, size, number = [], 0, 0
    while size < POST_BYTES:
        number += 1
        line = json.dumps({
            "body": f"request {number * 7919 % 1000003} of user{number % 5000} took "
                    f"{number * 31 % 997} ms in step {number % 17} of order {number:x}-{number * 13:x}",
            "level": ("info", "info", "info", "warn", "error")[number % 5],
            "status": (200, 200, 404, 500)[number % 4],
            "resource": {"k8s.pod.name": f"web-{number % 200}", "k8s.namespace.name": "shop"}})
        lines.append(line)
        size += len(line) + 1
    return "\n".join(lines).encode(), len(lines)


def server_rss(bench, case):
    body, rows = rows_body()
    pause = len(body) / INGEST_BYTES_PER_SECOND
    begin = None

    def ingest(connection, count):
        nonlocal begin
        begin = begin or time.monotonic()
        time.sleep(max(0, begin + count * pause - time.monotonic()))
        call(connection, server, "POST", "/rows", body)

    questions = [
        "/search?" + urllib.parse.urlencode({"q": "user77 OR level:error"}),
        "/histogram?" + urllib.parse.urlencode({"q": "step"}),
        "/fields",
        "/patterns",
        "/sql?" + urllib.parse.urlencode({"q": "* | SELECT status, count(*) GROUP BY 1"}),
    ]

    def ask(connection, count):
        call(connection, server, "GET", questions[count % len(questions)])
        time.sleep(0.2)

    with Scratch(bench) as scratch:
        server = Server(bench, scratch)
        try:
            server.start()
            time.sleep(IDLE_SECONDS)
            idle_mb = server.rss_mb()
            cpu_ms = server.cpu_ticks_ms()
            with Load(server, ingest) as ingesting, Load(server, ask) as asking:
                time.sleep(BUSY_SECONDS)
            cpu_ms = server.cpu_ticks_ms() - cpu_ms
            busy_mb = server.rss_mb()
            for load in (ingesting, asking):
                if load.problem:
                    raise SkipCase(f"the load ended: {load.problem}")
        finally:
            server.stop()
    yield {"idle_rss_mb": idle_mb, "rss_mb": busy_mb,
           "mb_per_s": ingesting.count * len(body) / MB / BUSY_SECONDS,
           "rows_per_s": round(ingesting.count * rows / BUSY_SECONDS), "queries": asking.count,
           "cpu_percent": cpu_ms / 10 / BUSY_SECONDS,
           "budget_mb": BUSY_BUDGET_MB, "idle_budget_mb": IDLE_BUDGET_MB,
           "within_budget": busy_mb <= BUSY_BUDGET_MB and idle_mb <= IDLE_BUDGET_MB}


CASES = {**{name: search for name in SEARCHES}, "sql_group_by": sql_group_by,
         "top_values": top_values, "server_rss": server_rss}
