#!/usr/bin/env python3
"""What people and programs without good manners do to a server that answers searches: thousands of
live tails, readers that stop, enormous requests, damaged segments, borrowed sessions, guessed
tokens, and a kill while an alert fires. Every figure that is asserted is printed.

usage: search_abuse.py BIN_DIR[:DIR...] [CHECK...]
"""
import collections
import contextlib
import http.client
import http.server
import json
import os
import re
import resource
import selectors
import socket
import sys
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True
import kelp_e2e as e2e  # noqa: E402
from bad_input import damage, error_of, expect_no_crash, fill_server, store_files  # noqa: E402
from kelp_e2e import Skip, expect, expect_in, wait_for  # noqa: E402
from limits import MIB, memory, needs_real_figures, say  # noqa: E402

TAILS = 10_000
# Beside the sockets: files of the store, listening, searches.
OTHER_DESCRIPTORS = 500
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DUCKDB = os.path.join(ROOT, "build/duckdb/libduckdb.so")
SQL = f"sql: {{library: '{DUCKDB}'}}\n" if os.path.exists(DUCKDB) else ""


def metric(server, name):
    """Of the one series of that name, or with labels as in the text; None without it."""
    text = server.api.get("/metrics") or ""
    labels = "" if "{" in name else r"(?:\{[^}]*\})?"
    found = re.search(rf"^(?:kelp_)?{re.escape(name)}{labels} (\S+)$", text, re.M)
    return float(found[1]) if found else None


def request_text(server, path, headers=""):
    return (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            f"Authorization: Bearer {server.api.token}\r\n{headers}\r\n").encode()


def reader_that_stops(server, path, window=4096):
    """A connection that asks, takes the first byte of the answer, and then nothing."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=e2e.WAIT_SECONDS)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    connection.sendall(request_text(server, path))
    expect(connection.recv(1), f"{path}: no answer")
    return connection


class Crowd:
    """Many connections that ask for the same, and keep reading, in this one thread."""

    def __init__(self, server, path):
        self.server = server
        self.request = request_text(server, path)
        self.selector = selectors.DefaultSelector()
        self.heads = {}
        self.bytes = 0
        self.rows = 0

    def grow(self, count, at_once=0):
        """With `at_once`, no more than so many wait for an answer."""
        for n in range(count):
            connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=30)
            connection.setblocking(False)
            with contextlib.suppress(OSError):  # refused before it could ask
                connection.send(self.request)
            self.heads[connection] = b""
            self.selector.register(connection, selectors.EVENT_READ)
            if at_once and n % at_once == at_once - 1:
                self.read_until(lambda: all(self.heads.values()), "all are answered")

    def read(self, seconds):
        end = time.monotonic() + seconds
        while True:
            for key, _ in self.selector.select(max(end - time.monotonic(), 0)):
                try:
                    data = key.fileobj.recv(65536)
                except OSError:
                    data = b""
                if not data:
                    self.selector.unregister(key.fileobj)
                elif len(self.heads[key.fileobj]) < 1024:
                    self.heads[key.fileobj] += data
                self.bytes += len(data)
                self.rows += data.count(b"event: row")
            if time.monotonic() >= end:
                return

    def read_until(self, condition, what, seconds=e2e.WAIT_SECONDS):
        def done():
            self.read(0.005)
            return condition()
        return wait_for(done, what, seconds, alive=[self.server])

    def answered(self):
        """How many got which status."""
        return collections.Counter(head[9:12].decode() for head in self.heads.values() if head)

    def close_refused(self):
        """As clients do that were told to try later."""
        for connection, head in list(self.heads.items()):
            if head and b" 200 " not in head[:13]:
                self.close_one(connection)

    def close_one(self, connection):
        with contextlib.suppress(KeyError):
            self.selector.unregister(connection)
        connection.close()
        del self.heads[connection]

    def close(self):
        for connection in list(self.heads):
            self.close_one(connection)


class Kept:
    """A client that keeps its connection."""

    def __init__(self, server):
        self.server = server
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)

    def search(self):
        self.connection.request("GET", self.server.base + "/search?q=*&limit=1", headers={
            "Authorization": "Bearer " + self.server.api.token})
        answer = self.connection.getresponse()
        answer.read()
        return answer.status


def allow_descriptors(wanted):
    """Raises this process's limit; how many connections it gives."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), hard))
    return limit


def expect_answers(server, what):
    """Searches are answered; how long the slowest of five took."""
    slowest = 0
    for _ in range(5):
        begin = time.monotonic()
        answer = server.search("*", 1)
        slowest = max(slowest, time.monotonic() - begin)
        expect(answer and answer[0] == 200, f"{what}: a search gives {answer}")
    return round(slowest * 1000)


# --- live tails ----------------------------------------------------------------------------------

def check_ten_thousand_tails_with_the_usual_limits(world):
    limit = allow_descriptors(TAILS + OTHER_DESCRIPTORS)
    server = e2e.Server(world)
    server.limits[resource.RLIMIT_NOFILE] = limit
    server.start().wait_ready().make_logstore()
    server.ingest('{"body":"before"}\n')
    idle = memory(server, "VmRSS")
    crowd = Crowd(server, server.base + "/tail")
    refused = collections.Counter()
    # All at once would only meet the limit of connections; a thousand at a time meet that of tails.
    for _ in range(TAILS // 1000):
        crowd.grow(1000)
        crowd.read_until(lambda: all(crowd.heads.values()), "all are answered")
        refused += crowd.answered()
        sample = next(head for head in crowd.heads.values() if b" 503 " in head[:13])
        crowd.close_refused()
        refused["200"] -= len(crowd.heads)
    refused["200"] += len(crowd.heads)
    expect_in("Retry-After", sample.decode(), "a refusal says when to come again")
    expect_in("live tails already", sample.decode(), "a refusal says why")
    crowded = memory(server, "VmRSS")
    search_ms = expect_answers(server, "beside the tails")
    say(answers=dict(refused), tails=metric(server, "server_tails"),
        refused=metric(server, "server_tails_refused_total"), search_ms=search_ms,
        rss_mib=[idle // MIB, crowded // MIB])
    expect(metric(server, "server_tails") == 64, "as many tails as query.tails_max")
    expect(refused["200"] == 64, f"answers: {refused}")
    kept = Kept(server)
    expect(kept.search() == 200, "a connection that stays")
    # And all at once, none of them ever closing: past connections_max they are refused, too.
    crowd.grow(TAILS - len(crowd.heads))
    crowd.read(1)
    # Who is connected already is served; others wait until some of these are idle for too long.
    say(all_at_once=dict(crowd.answered()), search_of_a_connected=kept.search(),
        rss_mib=memory(server, "VmRSS") // MIB)
    expect(kept.search() == 200, "who is connected already is served")
    expect(memory(server, "VmRSS") < idle + 128 * MIB, "memory stays bounded")
    crowd.close()
    wait_for(lambda: metric(server, "server_tails") == 0, "all tails are forgotten", alive=[server])
    say(after_ms=expect_answers(server, "afterwards"), rss_mib=memory(server, "VmRSS") // MIB)
    expect_no_crash(server)


def check_ten_thousand_tails_that_are_allowed(world):
    needs_real_figures(world)
    limit = allow_descriptors(TAILS + OTHER_DESCRIPTORS)
    tails = min(TAILS, limit - OTHER_DESCRIPTORS)
    server = e2e.Server(world, f"query: {{tails_max: {tails}}}\n")
    path = world.file("server.yaml")
    e2e.write(path, e2e.read(path).replace("http: {", f"http: {{connections_max: {tails + 200}, "))
    server.limits[resource.RLIMIT_NOFILE] = limit
    server.start().wait_ready().make_logstore()
    idle = memory(server, "VmRSS")
    crowd = Crowd(server, server.base + "/tail?q=wanted")
    begin = time.monotonic()
    # Fewer than the server's queue of requests takes.
    crowd.grow(tails, at_once=100)
    crowd.read_until(lambda: metric(server, "server_tails") == tails, f"{tails} tails")
    opened = time.monotonic() - begin
    crowd.read_until(lambda: crowd.answered() == {"200": tails}, "200 for all")
    full = memory(server, "VmRSS")
    begin = time.monotonic()
    answer = server.ingest('{"body":"other"}\n{"body":"wanted"}\n')
    expect(answer and answer[0] == 200, f"ingest gives {answer}")
    ingest_ms = round((time.monotonic() - begin) * 1000)
    crowd.read_until(lambda: crowd.rows >= tails, "each gets its row")
    all_seconds = time.monotonic() - begin
    search_ms = expect_answers(server, "beside the tails")
    # Now none of them reads. 8 MB for each would be 80 GB.
    begin = time.monotonic()
    for n in range(8):
        answer = server.ingest("".join(json.dumps({"body": f"wanted {n} {i} " + "x" * 1000}) + "\n"
                                       for i in range(100)))
        expect(answer and answer[0] == 200, f"ingest gives {answer}")
    stalled_ms = round((time.monotonic() - begin) * 1000 / 8)
    stopped = memory(server, "VmRSS")
    say(tails=tails, open_seconds=round(opened, 1), answers=dict(crowd.answered()),
        rows=crowd.rows, ingest_ms=ingest_ms, row_to_all_seconds=round(all_seconds, 2),
        ingest_100_rows_ms=stalled_ms,
        search_ms=search_ms, search_ms_when_none_reads=expect_answers(server, "none reads"),
        dropped=metric(server, "server_tail_dropped_rows_total"),
        rss_mib={"idle": idle // MIB, "tails": full // MIB, "none reads": stopped // MIB})
    expect(crowd.rows == tails, f"{crowd.rows} rows")
    expect((full - idle) / tails < 64 << 10, "a tail takes less than 64 KiB")
    # 32 KiB for each, a batch under way, and what the allocator keeps.
    expect(stopped - full < 2 * tails * (32 << 10), "readers that stop take bounded memory")
    crowd.close()
    wait_for(lambda: metric(server, "server_tails") == 0, "all tails are forgotten", alive=[server])
    wait_for(lambda: metric(server, "http_connections") < 5, "their connections, too",
             alive=[server])
    say(after_rss_mib=memory(server, "VmRSS") // MIB, after_ms=expect_answers(server, "afterwards"))
    expect_no_crash(server)


def check_a_tail_that_stops_reading(world):
    server = e2e.Server(world).start().wait_ready().make_logstore()
    connection = reader_that_stops(server, server.base + "/tail", 256 << 10)
    before = memory(server, "VmRSS")
    sent = 0
    while (metric(server, "server_tail_dropped_rows_total") or 0) == 0:
        expect(sent < 200_000, "nothing is dropped")
        server.ingest((json.dumps({"body": "x" * 500}) + "\n") * 4000)
        sent += 4000
    peak = memory(server, "VmRSS")
    # It reads again: what it missed is said, to the row.
    connection.settimeout(1)
    text = b""
    rows = dropped = 0
    end = time.monotonic() + e2e.WAIT_SECONDS
    while rows + dropped < sent and time.monotonic() < end:
        with contextlib.suppress(TimeoutError):
            text += connection.recv(1 << 20)
        rows = text.count(b"event: row\n")
        dropped = sum(int(n) for n in re.findall(rb'event: dropped\s+data: {"rows":(\d+)}', text))
    connection.close()
    say(sent=sent, rows=rows, dropped=dropped, rss_mib=[before // MIB, peak // MIB],
        search_ms=expect_answers(server, "afterwards"))
    expect(rows + dropped == sent, f"{sent} rows were sent, {rows} came, {dropped} said")
    wait_for(lambda: metric(server, "server_tails") == 0, "the tail is forgotten", alive=[server])


# --- readers that stop ---------------------------------------------------------------------------

def fill_wide(server, mebibytes):
    """Rows of 1 KiB that do not compress."""
    for _ in range(mebibytes // 4):
        answer = server.ingest("".join(json.dumps({"body": os.urandom(512).hex()}) + "\n"
                                       for _ in range(4096)))
        expect(answer and answer[0] == 200, f"ingest gives {answer}")


def check_exports_that_stop_reading(world):
    """Four hold all threads of exports; they are given up, and searches never notice."""
    server = e2e.Server(world).start().wait_ready().make_logstore()
    fill_wide(server, 48)
    before = memory(server, "VmRSS")
    path = server.base + "/export?from=-1d&to=%2B1d"
    stopped = [reader_that_stops(server, path) for _ in range(3)]
    # One thread is left, and this export goes through it.
    begin = time.monotonic()
    answer = server.api.call("GET", path)
    one_ms = round((time.monotonic() - begin) * 1000)
    expect(answer and answer[0] == 200, f"export beside three that stand: {answer and answer[0]}")
    rows = answer[2].count("\n")
    stopped += [reader_that_stops(server, path)]
    waiting = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(8)]
    for connection in waiting:
        connection.sendall(request_text(server, path))
    refused = 0
    for connection in waiting:
        connection.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            refused += b" 503 " in connection.recv(13)
        connection.close()
    search_ms = expect_answers(server, "beside exports that stand")
    held = memory(server, "VmRSS")
    begin = time.monotonic()
    after = wait_for(lambda: (found := server.api.call("GET", path, timeout=120)) and
                     found[0] == 200 and found, "an export after the others were given up", 120,
                     pause=1, alive=[server])
    say(rows=rows, one_ms=one_ms, refused=refused, search_ms=search_ms,
        free_again_after_seconds=round(time.monotonic() - begin, 1),
        rss_mib=[before // MIB, held // MIB, memory(server, "VmRSS") // MIB])
    expect(rows == 48 * 1024 and after[2].count("\n") == rows, "every row")
    expect(refused >= 4, f"only {refused} of 8 more exports were refused")
    expect(held < before + 256 * MIB, "memory stays bounded")
    for connection in stopped:
        connection.close()
    expect_no_crash(server)


def check_searches_that_stop_reading(world):
    """An answer that nobody takes holds its own bytes, no thread, and not for ever."""
    server = e2e.Server(world).start().wait_ready().make_logstore()
    for _ in range(4):
        server.ingest("".join(json.dumps({"body": os.urandom(8000).hex()}) + "\n"
                              for _ in range(250)))
    before = memory(server, "VmRSS")
    path = server.base + "/search?q=*&limit=1000&from=-1d&to=%2B1d"
    stopped = [reader_that_stops(server, path) for _ in range(40)]
    held = memory(server, "VmRSS")
    refused = metric(server, 'http_refused_total{reason="answers"}')
    large = server.api.call("GET", path)
    search_ms = expect_answers(server, "beside them")
    begin = time.monotonic()
    wait_for(lambda: metric(server, "http_timeouts_total") + refused >= len(stopped),
             "they are given up", 90, pause=0.5, alive=[server])
    again = server.api.call("GET", path)
    say(stopped=len(stopped), refused=refused, large_beside_them=large[0], search_ms=search_ms,
        given_up_seconds=round(time.monotonic() - begin, 1),
        large_afterwards=again[0], rss_mib=[before // MIB, held // MIB,
                                            memory(server, "VmRSS") // MIB],
        timeouts=metric(server, "http_timeouts_total"))
    for connection in stopped:
        connection.close()
    # Answers of 256 MiB, what the last searches held, and what the allocator keeps.
    expect(held < before + 512 * MIB, "memory stays bounded")
    expect(refused and large[0] == 503 and large[1]["Retry-After"], "more are refused")
    expect(again[0] == 200, "large answers go on once they are given up")


# --- enormous requests ---------------------------------------------------------------------------

def check_enormous_requests(world):
    server = e2e.Server(world, SQL + "query: {time_max: 3s, memory_max: 64MiB}\n")
    server.start().wait_ready().make_logstore()
    fill_server(server, 20000)
    wait_for(lambda: server.total() == 20000, "the rows", alive=[server])

    def sql(statement):
        return "sql?q=" + urllib.parse.quote("* | " + statement, safe="()")

    def search(query):
        return "search?q=" + urllib.parse.quote(query, safe="()")

    nested = "(" * 3000 + "a" + ")" * 3000
    calls = {
        "limit": ("search?q=a&limit=1000000000", 400),
        "buckets": ("histogram?q=a&buckets=1000000000", 400),
        "reversed": ("search?q=a&from=now&to=-1h", 400),
        "reversed export": ("export?q=a&from=now&to=-1h", 400),
        "nested": (search(nested), 400),
        "NOT of NOT": (search("NOT " * 2000 + "a"), 400),
        "many words": (search(" ".join(f"w{n}" for n in range(2000))), 400),
        "1 MiB": ("search?q=" + "a" * MIB, 431),
        "17 KiB": ("search?q=" + "a" * (17 << 10), 431),
    }
    if SQL:
        joins = ", ".join(f"log t{n}" for n in range(6))
        calls.update({
            "huge join": (sql(f"SELECT count(*) FROM {joins} WHERE t0.n + t1.n > t2.n"), None),
            "huge result": (sql("SELECT a.body || b.body || c.body AS x "
                                "FROM log a, log b, log c ORDER BY x"), None),
            "recursion": (sql("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM r) "
                              "SELECT count(*) FROM r"), None),
            # Deep but harmless: either is right, so long as the parser does not run out of stack.
            "nested SQL": (sql("SELECT " + "(" * 7500 + "1" + ")" * 7500), (200, 400)),
            "generated": (sql("SELECT count(*) FROM range(1000000000000)"), None),
            "long text": (sql("SELECT length(repeat(body, 1000000000)) FROM log"), None),
        })
    answers = {}
    for name, (path, status) in calls.items():
        begin = time.monotonic()
        answer = server.api.call("GET", f"{server.base}/{path}")
        took = time.monotonic() - begin
        server.check_alive()
        expect(answer is not None, f"{name}: no answer")
        message = answer[2][:300]
        if isinstance(status, int):
            message = error_of(answer, status)["message"]
        elif status:
            expect(answer[0] in status, f"{name}: {answer[0]} {message}")
        else:
            expect(answer[0] in (400, 403, 429, 504), f"{name}: {answer[0]} {message}")
            message = json.loads(answer[2])["error"]["message"]
        expect(message, f"{name}: no message")
        expect(took < 15, f"{name}: took {took:.1f} s")
        answers[name] = [answer[0], round(took, 2), message[:70]]
    for name, answer in answers.items():
        say(**{name: answer})
    say(after_ms=expect_answers(server, "afterwards"), peak_rss_mib=memory(server, "VmHWM") // MIB)
    expect(server.total() == 20000, "all rows are found afterwards")
    expect_no_crash(server)


# --- damaged segments ----------------------------------------------------------------------------

def check_damaged_segment_in_every_call(world):
    server = e2e.Server(world, SQL + "store: {hot_bytes_max: 1MiB, hot_age_max: 1s}\n")
    server.start().wait_ready().make_logstore()
    fill_server(server, 40000)
    wait_for(lambda: store_files(server, ".seg"), "a segment", alive=[server])
    expect(server.stop() == 0, "the server ended badly")
    largest = max(store_files(server, ".seg"), key=os.path.getsize)
    damage(largest, os.path.getsize(largest) // 3, 4096)
    server.start().wait_ready()
    name = os.path.basename(largest)
    figures = {}

    def get(path):
        answer = server.api.call("GET", path)
        expect(answer and answer[0] == 200, f"{path} gives {answer and answer[:1]} "
               f"{answer and answer[2][:300]}")
        return answer

    span, regex = "from=-1d&to=%2B1d", urllib.parse.quote("/row [0-9]+/", safe="")
    rows, cursor, partial = 0, "", ""
    while cursor is not None:
        more = f"&cursor={urllib.parse.quote(cursor)}" if cursor else ""
        page = json.loads(get(f"{server.base}/search?q={regex}&limit=1000&{span}{more}")[2])
        rows, cursor, partial = rows + len(page["rows"]), page["cursor"], partial or page["partial"]
    expect_in(name, partial or "", "search says what is missing")
    figures["search"] = rows
    page = json.loads(get(f"{server.base}/histogram?q={regex}&{span}")[2])
    expect_in(name, page["partial"] or "", "histogram says what is missing")
    figures["histogram"] = page["total"]
    if SQL:
        query = urllib.parse.quote("* | SELECT count(body), max(n) FROM log")
        page = json.loads(get(f"{server.base}/sql?q={query}&{span}")[2])
        expect_in(name, page["partial"] or "", "SQL says what is missing")
        figures["sql"] = int(page["rows"][0][0])
    lines = f'{{logstore="{e2e.LOGSTORE}"}} |~ "row [0-9]"'
    now = int(time.time())

    def loki(call, **parameters):
        answer = server.api.call("GET", f"/loki/api/v1/{call}?{urllib.parse.urlencode(parameters)}",
                                 headers={"X-Scope-OrgID": e2e.PROJECT})
        expect(answer and answer[0] == 200, f"Loki gives {answer and answer[2][:300]}")
        expect_in(name, answer[2], f"Loki's {call} says what is missing")
        return json.loads(answer[2])["data"]["result"]

    found = loki("query_range", query=lines, limit=5000, direction="forward", start=now - 86400,
                 end=now + 86400)
    figures["loki"] = sum(len(stream["values"]) for stream in found)
    counted = loki("query", query=f"sum(count_over_time({lines}[1h]))", time=now + 60)
    figures["loki count"] = int(counted[0]["value"][1])
    exported = get(f"{server.base}/export?id=damaged&{span}")
    figures["export"] = exported[2].count("\n")
    ended = wait_for(lambda: (found := server.api.get("/api/v1/queries/damaged")) and
                     json.loads(found)["state"] == "ended" and json.loads(found), "the end")
    expect_in(name, ended["partial"] or "", "the export says what is missing")
    say(of=40000, **figures)
    for call in sorted(set(figures) - {"loki"}):
        expect(0 < figures[call] < 40000, f"{call} gives {figures[call]} rows")
    expect(figures["loki"] == 5000, "Loki gives as many lines as it was asked for")
    fill_server(server, 2000, first=100000)
    wait_for(lambda: server.rows("n:101999"), "rows written afterwards", alive=[server])
    expect_no_crash(server)


# --- sessions and tokens -------------------------------------------------------------------------

def sign_in(server, token):
    """The session as a header, and the whole Set-Cookie."""
    nobody = e2e.Api(server.port)
    answer = nobody.call("POST", "/api/v1/sign-in", {"token": token})
    expect(answer and answer[0] == 200, f"sign-in gives {answer}")
    cookie = answer[1]["Set-Cookie"]
    return nobody, {"Cookie": cookie.split(";")[0]}, cookie


def check_a_session_is_of_no_use_to_other_sites(world):
    server = e2e.Server(world).start().wait_ready().make_logstore()
    nobody, session, cookie = sign_in(server, server.api.token)
    for part in ("HttpOnly", "SameSite=Strict", "Max-Age=", "Path=/"):
        expect_in(part, cookie, "the cookie")
    max_age = int(re.search(r"Max-Age=(\d+)", cookie)[1])
    own = f"http://127.0.0.1:{server.port}"
    forwarded = {"Origin": "https://logs.example", "X-Forwarded-Host": "logs.example"}
    origins = {"none": ({}, 201), "own": ({"Origin": own}, 201),
               "foreign": ({"Origin": "http://evil.example"}, 403),
               "other port": ({"Origin": "http://127.0.0.1:1"}, 403),
               "null": ({"Origin": "null"}, 403),
               "fetch cross-site": ({"Origin": own, "Sec-Fetch-Site": "cross-site"}, 403),
               "fetch same-site": ({"Sec-Fetch-Site": "same-site"}, 403),
               "fetch same-origin": ({"Sec-Fetch-Site": "same-origin"}, 201),
               "proxy": (forwarded, 201)}
    seen = {}
    for n, (name, (headers, status)) in enumerate(origins.items()):
        answer = nobody.call("POST", "/api/v1/projects", {"name": f"p{n}"}, {**session, **headers})
        seen[name] = answer[0]
        expect(answer[0] == status, f"{name}: {answer}")
    foreign = {**session, "Origin": "http://evil.example"}
    project = f"/api/v1/projects/{e2e.PROJECT}"
    for method, path, body in (
            ("DELETE", project, None), ("DELETE", server.base, None),
            ("PATCH", server.base, {"retention": "1h"}), ("POST", "/api/v1/tokens", {"name": "x"}),
            ("POST", server.base + "/rows", '{"body":"planted"}'),
            ("PUT", project + "/saved-searches/x", {}), ("PUT", project + "/alerts/x", {}),
            ("DELETE", project + "/history", None), ("POST", "/api/v1/sign-out", None),
            ("POST", "/api/v1/sign-in", {"token": server.api.token}),
            ("DELETE", "/api/v1/queries/x", None)):
        answer = nobody.call(method, path, body, foreign)
        expect(answer[0] == 403, f"{method} {path} of a foreign page gives {answer}")
        # As a form of another site sends it.
        answer = nobody.call(method, path, body, {**foreign, "Content-Type": "text/plain"})
        expect(answer[0] == 403, f"{method} {path} of a foreign form gives {answer}")
    socket_headers = {**foreign, "Connection": "Upgrade", "Upgrade": "websocket",
                      "Sec-WebSocket-Version": "13", "X-Scope-OrgID": e2e.PROJECT,
                      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    query = urllib.parse.urlencode({"query": f'{{logstore="{e2e.LOGSTORE}"}}'})
    answer = nobody.call("GET", f"/loki/api/v1/tail?{query}", None, socket_headers)
    expect(answer[0] == 403, f"a WebSocket of a foreign page gives {answer}")
    # Reads are not refused, but no page of another site may look at the answer.
    answer = nobody.call("GET", server.base + "/search?q=*", None, foreign)
    expect(answer[0] == 200 and not answer[1].get("Access-Control-Allow-Origin"), "no CORS")
    answer = nobody.call("OPTIONS", server.base, None, {**foreign,
                                                       "Access-Control-Request-Method": "PATCH"})
    expect(not answer[1].get("Access-Control-Allow-Origin"), "no CORS for PATCH")
    # Programs with a token have no such trouble.
    answer = server.api.call("POST", "/api/v1/projects", {"name": "by-token"},
                             {"Origin": "http://evil.example"})
    expect(answer[0] == 201, f"a call with a token gives {answer}")
    say(answers=seen, session_days=max_age / 86400)


def check_sessions_end(world):
    server = e2e.Server(world).start().wait_ready().make_logstore()
    made = json.loads(server.api.call("POST", "/api/v1/tokens", {"name": "t", "role": "viewer"})[2])
    nobody, first, cookie = sign_in(server, made["token"])
    _, second, _ = sign_in(server, made["token"])
    expect(first != second and made["token"] not in cookie, "a session has a secret of its own")

    def status(session):
        return nobody.call("GET", server.base + "/search?q=*", None, session)[0]

    expect((status(first), status(second)) == (200, 200), "both sessions work")
    answer = nobody.call("POST", "/api/v1/sign-out", None, first)
    expect(answer[0] == 204 and "Max-Age=0" in answer[1]["Set-Cookie"], f"sign-out: {answer}")
    signed_out = status(first)
    expect((signed_out, status(second)) == (401, 200), "only the one that signed out ends")
    # A session is no token, and a token no session.
    secret = second["Cookie"].split("=", 1)[1]
    swapped = [e2e.Api(server.port, secret).call("GET", server.base + "/search?q=*")[0],
               status({"Cookie": "kelp_session=" + made["token"]})]
    expect(server.stop() == 0, "the server ended badly")
    server.start().wait_ready()
    after_restart = status(second)
    answer = server.api.call("DELETE", f"/api/v1/tokens/{made['id']}")
    expect(answer[0] == 204, f"DELETE of the token gives {answer}")
    deleted = status(second)
    say(signed_out=signed_out, swapped=swapped, after_restart=after_restart, token_deleted=deleted)
    expect((swapped, after_restart, deleted) == ([401, 401], 200, 401), "sessions end with tokens")


def check_guessing_is_held_back_and_secrets_are_not_logged(world):
    server = e2e.Server(world, "log: {level: debug}\n").start().wait_ready().make_logstore()
    nobody, session, _ = sign_in(server, server.api.token)
    secrets = [server.api.token, session["Cookie"].split("=", 1)[1],
               e2e.read(os.path.join(server.data_dir, "agent.token")).strip()]
    answers = collections.Counter()
    guesses = []
    held = None
    begin = time.monotonic()
    for n in range(100):
        guesses.append(f"kelp_{n:032x}guess")
        answer = nobody.call("POST", "/api/v1/sign-in",
                             {"token" if n % 2 else "code": guesses[-1]})
        answers[answer[0]] += 1
        held = answer if answer[0] == 429 else held
    seconds = time.monotonic() - begin
    expect(answers == {401: 10, 429: 90}, f"answers: {answers}")
    retry = int(held[1]["Retry-After"])
    expect(0 < retry <= 60, f"Retry-After: {retry}")
    expect_in("try again in", error_of(held, 429)["message"], "the message")
    right = nobody.call("POST", "/api/v1/sign-in", {"token": server.api.token})
    expect(right[0] == 429, f"while held back, no guess is answered: {right}")
    # Who is in works on, by session and by token.
    expect(nobody.call("GET", "/api/v1/projects", None, session)[0] == 200, "the session works on")
    expect(server.api.call("GET", "/api/v1/projects")[0] == 200, "the token works on")
    # Wrong tokens and secrets where one might log the request.
    for n in range(20):
        e2e.Api(server.port, f"kelp_wrong{n}").call("GET", server.base + "/search?q=*")
    guesses += [f"kelp_wrong{n}" for n in range(20)]
    server.api.call("POST", "/api/v1/tokens", {"name": "t", "role": "viewer"})
    log = server.log()
    leaked = [secret for secret in secrets + guesses if secret in log]
    say(answers=dict(answers), seconds=round(seconds, 2), retry_after=retry, log_bytes=len(log),
        failures=metric(server, "server_sign_in_failures_total"),
        refused=metric(server, "server_sign_in_refused_total"), leaked=len(leaked))
    expect(not leaked, f"the log holds {leaked}")
    expect(metric(server, "server_sign_in_failures_total") == 10, "failures are counted")
    expect(metric(server, "server_sign_in_refused_total") == 91, "refusals are counted")
    expect_in("a sign-in from 127.0.0.1", log, "the log says that somebody guesses, and where")
    expect(not any(secret in server.api.get("/metrics") for secret in secrets), "metrics hold none")


# --- alerts --------------------------------------------------------------------------------------

class Receiver(http.server.ThreadingHTTPServer):
    """A webhook that takes everything; slowly, so that kills come before it has answered."""

    def __init__(self):
        receiver = self
        self.calls = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.calls.append((self.headers["Idempotency-Key"], json.loads(body)))
                with contextlib.suppress(OSError):
                    time.sleep(0.05)
                    self.send_response(200)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def check_killed_while_an_alert_fires(world):
    if not SQL:
        raise Skip("groups of an alert need DuckDB")
    server = e2e.Server(world, "alerts: {private_webhooks: true}\n" + SQL)
    server.start().wait_ready().make_logstore()
    receiver = Receiver()
    groups = 20
    alerts = f"/api/v1/projects/{e2e.PROJECT}/alerts"
    query = "level:error | stats count() as n by pod"
    server.ingest("".join(json.dumps({"level": "error", "pod": f"pod-{n}", "body": "bad"}) + "\n"
                          for n in range(groups)))
    answer = server.api.call("PUT", alerts + "/errors", {
        "logstores": [e2e.LOGSTORE], "q": query, "every": "10s", "window": "1h",
        "group_by": ["pod"], "condition": {"column": "n", "op": ">", "value": 0},
        "webhook": {"url": f"http://127.0.0.1:{receiver.server_port}/hook",
                    "body": '{"pod":"{{labels.pod}}","state":"{{state}}"}'}})
    expect(answer and answer[0] in (200, 201, 204), f"PUT gives {answer}")
    kills = 0
    end = time.monotonic() + 90
    # Once in the evaluation or at the first message, and then every few messages.
    for at in (1, 4, 8, 13, 18):
        wait_for(lambda at=at: len(receiver.calls) >= at or time.monotonic() > end,
                 f"message {at}", 100, pause=0.002)
        server.kill()
        kills += 1
        server.start().wait_ready()

    def done():
        return len({body["pod"] for _, body in receiver.calls}) == groups

    wait_for(done, "every group is told", 90, pause=0.2, alive=[server])
    # One more evaluation, after which nothing may come twice.
    before = len(receiver.calls)
    evaluations = metric(server, "alert_evaluations_total")
    wait_for(lambda: metric(server, "alert_evaluations_total") > evaluations + 1,
             "two more evaluations", 60, pause=0.5, alive=[server])
    keys = collections.defaultdict(set)
    for key, body in receiver.calls:
        keys[(body["pod"], body["state"])].add(key)
    again = len(receiver.calls) - len(keys)
    base = server.base
    server.base = base.removesuffix(e2e.LOGSTORE) + "alerts"
    rows = [row["fields"] for row in server.all_rows()]
    server.base = base
    stored = collections.Counter(json.dumps([row.get("state"), row.get("labels"), row.get("key")],
                                            sort_keys=True) for row in rows)
    say(groups=groups, kills=kills, calls=len(receiver.calls), sent_again_with_the_same_key=again,
        rows=len(rows), after_two_more_evaluations=len(receiver.calls) - before)
    expect(len(keys) == groups, f"incidents: {sorted(keys)}")
    expect(all(len(found) == 1 for found in keys.values()),
           f"an incident has more than one Idempotency-Key: {dict(keys)}")
    expect(again <= kills, f"{again} messages came again after {kills} kills")
    expect(len(receiver.calls) == before, "messages go on although nothing changed")
    expect(len(rows) == groups and max(stored.values()) == 1, f"rows: {stored}")
    receiver.shutdown()


if __name__ == "__main__":
    e2e.main(globals())
