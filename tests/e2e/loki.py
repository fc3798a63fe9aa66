#!/usr/bin/env python3
"""Grafana's logcli, unmodified, against a Kelp server.

usage: loki.py BIN_DIR[:DIR...] [CHECK...]

logcli is $KELP_LOGCLI, or build/logcli/logcli (tests/e2e/get_logcli makes it), or the one on the path;
without any of them the checks are skipped, and say so.
"""
import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import kelp_e2e as e2e  # noqa: E402
from kelp_e2e import expect, expect_in, wait_for  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# 2026-01-01T00:00:00Z
BEGIN = 1767225600
SPAN = ["--from=2026-01-01T00:00:00Z", "--to=2026-01-01T00:02:00Z"]


def logcli_path():
    for path in (os.environ.get("KELP_LOGCLI", ""), os.path.join(ROOT, "build/logcli/logcli"),
                 shutil.which("logcli") or ""):
        if path and os.access(path, os.X_OK):
            return path
    raise e2e.Skip("logcli is not here; tests/e2e/get_logcli builds it")


class Logcli:
    def __init__(self, server):
        self.arguments = [logcli_path(), f"--addr={server.url}", "--username=grafana",
                          f"--password={server.api.token}", f"--org-id={e2e.PROJECT}", "--quiet"]

    def run(self, *arguments):
        """Standard output of a call that succeeds."""
        done = subprocess.run([*self.arguments, *arguments], capture_output=True, text=True,
                              timeout=e2e.WAIT_SECONDS)
        expect(done.returncode == 0, f"logcli {arguments} gives {done.returncode}: {done.stderr}")
        return done.stdout

    def fail(self, *arguments):
        """Standard error of a call that fails."""
        done = subprocess.run([*self.arguments, *arguments], capture_output=True, text=True,
                              timeout=e2e.WAIT_SECONDS)
        expect(done.returncode != 0, f"logcli {arguments} succeeds: {done.stdout}")
        return done.stderr


def start(world):
    server = e2e.Server(world)
    server.start()
    server.wait_ready().make_logstore()
    rows = [json.dumps({"time": BEGIN + i, "level": "error" if i % 10 == 0 else "info",
                        "body": f"request {i} took={i}ms",
                        "resource": {"app": "web" if i % 2 == 0 else "db",
                                     "k8s.pod.name": f"pod-{i % 3}"}}) for i in range(60)]
    answer = server.ingest("\n".join(rows))
    expect(answer and answer[0] == 200, f"ingest gives {answer}")
    return server, Logcli(server)


def check_query(world):
    _, logcli = start(world)
    out = logcli.run("query", '{app="web"} |= "request 4"', "-o", "raw", *SPAN)
    expect(out.splitlines() == [f"request {i} took={i}ms" for i in (48, 46, 44, 42, 40, 4)], out)
    out = logcli.run("query", '{app="web"}', "-o", "raw", "--forward", "--limit=2", *SPAN)
    expect(out.splitlines() == ["request 0 took=0ms", "request 2 took=2ms"], out)
    # Pages of 7: logcli asks again from where it stopped, and no row is lost or comes twice.
    out = logcli.run("query", '{app=~".+"}', "-o", "raw", "--limit=60", "--batch=7", *SPAN)
    expect(out.splitlines() == [f"request {i} took={i}ms" for i in range(59, -1, -1)], out)
    out = logcli.run("query", '{app="db"} | logfmt | took > 50ms | line_format "{{.took}} {{.level}}"',
                     "-o", "jsonl", *SPAN)
    lines = [json.loads(line) for line in out.splitlines()]
    expect([line["line"] for line in lines] ==
           ["59ms info", "57ms info", "55ms info", "53ms info", "51ms info"], out)
    expect(lines[0]["labels"]["k8s_pod_name"] == "pod-2", out)


def check_metrics(world):
    _, logcli = start(world)
    out = logcli.run("instant-query", "sum by (app) (count_over_time({app=~\".+\"}[1m]))",
                     "--now=2026-01-01T00:00:59Z")
    result = {one["metric"]["app"]: one["value"][1] for one in json.loads(out)}
    expect(result == {"web": "30", "db": "30"}, out)
    out = logcli.run("query", "sum(rate({app=\"web\"}[30s])) * 30", "--step=30s",
                     "--from=2026-01-01T00:00:29Z", "--to=2026-01-01T00:00:59Z")
    values = json.loads(out)[0]["values"]
    expect([value[1] for value in values] == ["15", "15"], out)


def check_labels(world):
    _, logcli = start(world)
    names = logcli.run("labels", *SPAN).split()
    expect(names == ["app", "k8s_pod_name", "logstore", "service_name"], f"labels: {names}")
    expect(logcli.run("labels", "app", *SPAN).split() == ["db", "web"], "values of app")
    out = logcli.run("series", '{app="web"}', *SPAN)
    expect(len(out.splitlines()) == 3, out)
    expect_in('k8s_pod_name="pod-1"', out, "series")
    expect_in("entries", logcli.run("stats", '{app="web"}', *SPAN), "stats")
    out = json.loads(logcli.run("volume", '{app=~".+"}', *SPAN))
    expect({one["metric"]["app"] for one in out} == {"web", "db"}, f"volume: {out}")
    out = logcli.run("detected-fields", '{app="web"}', *SPAN)
    expect_in("took", out, "detected fields")


def check_tail(world):
    server, logcli = start(world)
    log = open(world.file("tail.out"), "w+")
    tail = subprocess.Popen([*logcli.arguments, "query", '{app="web"} |= "live"', "--tail", "-o",
                             "raw"], stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for(lambda: "kelp_server_loki_tails 1" in (server.api.get("/metrics") or ""),
                 "the tail stands", alive=[server])
        row = {"body": "live one", "resource": {"app": "web"}}
        server.ingest(json.dumps(row))
        wait_for(lambda: "live one" in e2e.read(world.file("tail.out")), "the row is followed")
    finally:
        tail.kill()
        tail.wait()
        log.close()


def check_mistakes(world):
    _, logcli = start(world)
    expect_in("parse error at line 1, col 6", logcli.fail("query", "{app=web}", *SPAN), "the place")
    expect_in("unwrap", logcli.fail("query", 'sum_over_time({app="web"}[1m])', *SPAN), "the reason")


if __name__ == "__main__":
    e2e.main(globals())
