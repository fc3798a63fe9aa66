#!/usr/bin/env python3
"""The surface that scripts rely on: keys, shapes, signals, exit codes and commands.

usage: surface.py BIN_DIR[:DIR...] [CHECK...]
"""
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import kelp_e2e as e2e  # noqa: E402
from kelp_e2e import expect, expect_in, wait_for  # noqa: E402

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")
ORIGIN = re.compile(r"[0-9a-f]{32}")
POD_UID = "0a1b2c3d-0000-4000-8000-000000000001"
# A changed configuration works within a second; the rest is for a busy machine.
RELOAD_SECONDS_MAX = 1.0
# A line can be searched within a second after it was written.
FRESH_SECONDS_MAX = 1.0


def pipeline(world, name, output, pattern="*.log", processors="", more=""):
    os.makedirs(world.file("logs"), exist_ok=True)
    return f"""
  - name: {name}
    inputs: [{{type: file, include: ['{world.file("logs")}/{pattern}'], start_at: beginning{more}}}]
    processors: [{processors}]
    outputs: [{output}]
"""


def file_output(world, name, options=""):
    return f"{{type: file, path: '{world.file(name)}'{options}}}"


def bodies(path):
    return [row["body"] for row in e2e.json_lines(path)]


def expect_row(row):
    """Time, body, fields, resource, origin: nothing more, nothing less."""
    expect(set(row) == {"time", "body", "fields", "resource", "origin"}, f"keys: {row}")
    expect(TIME.fullmatch(row["time"] or ""), f"time: {row}")
    expect(isinstance(row["fields"], dict) and isinstance(row["resource"], dict), f"maps: {row}")
    expect(set(row["origin"]) == {"id", "offset"} and ORIGIN.fullmatch(row["origin"]["id"]) and
           isinstance(row["origin"]["offset"], int), f"origin: {row}")


# --- the agent -----------------------------------------------------------------------------------

def check_output_file_json(world):
    agent = e2e.Agent(world, pipeline(world, "p", file_output(world, "out", ", format: json")))
    e2e.write(world.file("logs/a.log"), 'plain\n{"not": "parsed"}\ntab\tquote"back\\slash é\n\n')
    agent.start()
    wait_for(lambda: len(bodies(world.file("out"))) >= 3, "the rows", alive=[agent])
    rows = e2e.json_lines(world.file("out"))
    for row in rows:
        expect_row(row)
        expect(row["resource"]["log.file.path"] == world.file("logs/a.log"), f"path: {row}")
    expect([row["body"] for row in rows][:3] ==
           ["plain", '{"not": "parsed"}', 'tab\tquote"back\\slash é'], f"bodies: {rows}")
    offsets = [row["origin"]["offset"] for row in rows]
    expect(offsets == sorted(set(offsets)), f"offsets do not grow: {offsets}")
    expect(len({row["origin"]["id"] for row in rows}) == 1, "one file has several origins")


def check_output_file_raw(world):
    agent = e2e.Agent(world, pipeline(world, "p", file_output(world, "out", ", format: raw")))
    text = "one\n  two  \nthree é\n"
    e2e.write(world.file("logs/a.log"), text)
    agent.start()
    wait_for(lambda: e2e.read(world.file("out")) == text, "the same text", alive=[agent])


def check_output_file_rotates(world):
    agent = e2e.Agent(world, pipeline(
        world, "p", file_output(world, "out", ", format: raw, rotate_size: 64KiB, rotate_keep: 3")))
    agent.start().wait_ready()
    for n in range(20):
        e2e.append(world.file("logs/a.log"), f"{n} {'x' * 9990}\n")
        wait_for(lambda n=n: agent.metric("kelp_output_sent_rows_total") == n + 1, "the row",
                 alive=[agent])
    names = sorted(name for name in os.listdir(world.path) if name.startswith("out"))
    expect(names == ["out", "out.1", "out.2", "out.3"], f"files: {names}")
    for name in names:
        expect(os.path.getsize(world.file(name)) <= 64 << 10, f"{name} is too large")


def check_output_stdout(world):
    agent = e2e.Agent(world, pipeline(world, "p", "{type: stdout, format: raw}"))
    e2e.write(world.file("logs/a.log"), "to the terminal\n")
    agent.process = subprocess.Popen(agent.arguments, stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL, text=True)
    expect(agent.process.stdout.readline() == "to the terminal\n", "another line came")
    expect(agent.stop() == 0, "the agent ended badly")
    agent.process.stdout.close()


def check_agent_stays_in_the_foreground_until_term(world):
    agent = e2e.Agent(world, pipeline(world, "p", file_output(world, "out"))).start().wait_ready()
    agent.check_alive()
    e2e.append(world.file("logs/a.log"), "before the end\n")
    wait_for(lambda: bodies(world.file("out")), "the row", alive=[agent])
    begin = time.monotonic()
    code = agent.stop()
    expect(code == 0, f"exit code {code}")
    expect(time.monotonic() - begin < 10, "the stop took long")
    agent.start().wait_ready()
    e2e.append(world.file("logs/a.log"), "after the start\n")
    wait_for(lambda: len(bodies(world.file("out"))) > 1, "the next row", alive=[agent])
    time.sleep(0.5)
    expect(bodies(world.file("out")) == ["before the end", "after the start"],
           f"positions were not kept: {bodies(world.file('out'))}")


def check_agent_endpoints(world):
    agent = e2e.Agent(world, pipeline(world, "p", file_output(world, "out"))).start()
    wait_for(lambda: agent.api.get("/readyz") is not None, "/readyz", alive=[agent])
    expect(agent.api.call("GET", "/healthz")[0] == 200, "/healthz")
    metrics = agent.api.call("GET", "/metrics")
    expect_in("text/plain", metrics[1]["Content-Type"], "/metrics")
    expect_in("# TYPE kelp_", metrics[2], "/metrics")
    status = json.loads(agent.api.get("/api/v1/status"))
    expect(status["pipelines"][0]["name"] == "p", f"status: {status}")
    expect(agent.api.call("GET", "/nowhere")[0] == 404, "404")


def check_checkpoints_beside_a_running_agent(world):
    path = e2e.write(world.file("logs/a.log"), "one\ntwo\n")
    agent = e2e.Agent(world, "  - name: copy\n    inputs: [{type: file, include: ["
                      f"'{world.file('logs')}/*.log'], start_at: beginning}}]\n"
                      f"    outputs: [{{type: file, path: '{world.file('out.jsonl')}'}}]\n")
    agent.start().wait_ready()
    wait_for(lambda: len(e2e.json_lines(world.file("out.jsonl"))) == 2, "two rows", alive=[agent])
    command = ("checkpoints", "list", "--data-dir", agent.data_dir, "--json")

    def listed(*more):
        code, out, err = world.run("kelp", *command, *more)
        expect(code == 0, f"kelp {' '.join(command)} gives {code}: {err}")
        return [json.loads(line) for line in out.splitlines()]
    running = wait_for(lambda: [row for row in listed("--agent", f"127.0.0.1:{agent.port}")
                                if row["offset"] == 8], "the position is acknowledged")
    expect(running[0]["path"] == path, f"it is of {path}: {running}")
    expect(agent.stop() == 0, "the agent did not stop in order")
    stopped = listed()
    expect([(row["path"], row["origin"], row["offset"]) for row in stopped] ==
           [(row["path"], row["origin"], row["offset"]) for row in running],
           f"a running agent says {running}, its database {stopped}")


def check_hup_reloads(world):
    agent = e2e.Agent(world, pipeline(world, "p", file_output(world, "out"))).start().wait_ready()
    path = agent.config
    text = e2e.read(path)
    e2e.write(path, text.replace(world.file("out"), world.file("next")))
    agent.signal(signal.SIGHUP)
    # A row that is written before the old pipeline has stopped is rightly its own.
    wait_for(lambda: os.path.exists(world.file("next")), "the new output", alive=[agent])
    e2e.append(world.file("logs/a.log"), "after HUP\n")
    wait_for(lambda: "after HUP" in bodies(world.file("next")), "the new output", alive=[agent])


def check_a_changed_file_reloads_within_a_second(world):
    agent = e2e.Agent(world, pipeline(world, "p", file_output(world, "out"))).start().wait_ready()
    e2e.append(world.file("logs/a.log"), "one\n")
    wait_for(lambda: bodies(world.file("out")), "the first row", alive=[agent])
    time.sleep(0.5)
    agent.configure(pipeline(world, "p", file_output(world, "next")))
    begin = time.monotonic()
    wait_for(lambda: os.path.exists(world.file("next")), "the new output", alive=[agent])
    took = time.monotonic() - begin
    expect(took < RELOAD_SECONDS_MAX, f"the reload took {took:.2f} s")
    e2e.append(world.file("logs/a.log"), "two\n")
    wait_for(lambda: bodies(world.file("next")) == ["two"], "the second row in the new output",
             alive=[agent])
    expect(bodies(world.file("out")) == ["one"], "the old output changed")


def check_reload_disturbs_no_other_pipeline(world):
    steady = pipeline(world, "steady", file_output(world, "steady"), "steady.log")
    agent = e2e.Agent(world, steady + pipeline(world, "other", file_output(world, "other"),
                                               "other.log")).start().wait_ready()
    for n in range(10):
        e2e.append(world.file("logs/steady.log"), f"{n}\n")
        if n % 3 == 0:
            agent.configure(steady + pipeline(world, "other", file_output(world, f"other{n}"),
                                              "other.log"))
        time.sleep(0.2)
    wait_for(lambda: len(bodies(world.file("steady"))) >= 10, "the rows", alive=[agent])
    expect(bodies(world.file("steady")) == [str(n) for n in range(10)], "rows lost or twice")
    # Removed from the file, a pipeline ends; its rows stay where they are.
    agent.configure(steady)
    wait_for(lambda: [p["name"] for p in json.loads(
        agent.api.get("/api/v1/status") or '{"pipelines":[]}')["pipelines"]] == ["steady"],
        "the end of the other pipeline", alive=[agent])


def check_pipelines_dir(world):
    os.makedirs(world.file("pipelines.d"))
    agent = e2e.Agent(world, "  []\n", f"pipelines_dir: {world.file('pipelines.d')}\n")
    agent.start().wait_ready()
    text = pipeline(world, "late", file_output(world, "out"))
    lines = "".join(line[4:] + "\n" for line in text.strip("\n").splitlines())
    e2e.write(world.file("pipelines.d/late.yaml"), lines)
    e2e.append(world.file("logs/a.log"), "picked up\n")
    wait_for(lambda: bodies(world.file("out")) == ["picked up"], "the new pipeline", alive=[agent])


def check_variables_in_configuration(world):
    os.environ["KELP_E2E_OUT"] = world.file("from-variable")
    agent = e2e.Agent(world, pipeline(
        world, "p", "{type: file, path: '${KELP_E2E_OUT}', format: '${KELP_E2E_FORMAT:-raw}'}"))
    e2e.write(world.file("logs/a.log"), "x\n")
    agent.start()
    wait_for(lambda: e2e.read(world.file("from-variable")) == "x\n", "the row", alive=[agent])


def check_outputs_that_are_not_required(world):
    down = f"http://127.0.0.1:{e2e.free_port()}"
    outputs = (f"{file_output(world, 'out')}, {{type: kelp, url: '{down}', required: false, "
               "queue_bytes_max: 1MiB, batch_bytes: 64KiB}")
    agent = e2e.Agent(world, pipeline(world, "p", outputs)).start().wait_ready()
    line = "x" * 1000
    e2e.write(world.file("logs/a.log"), "".join(f"{n} {line}\n" for n in range(20000)))
    wait_for(lambda: e2e.read(world.file("out")).count("\n") == 20000, "every row", alive=[agent])


def check_rename_rotation(world):
    agent = e2e.Agent(world, pipeline(world, "p", file_output(world, "out"))).start().wait_ready()
    path = world.file("logs/a.log")
    expected = []
    for turn in range(5):
        with open(path, "a") as file:
            for n in range(100):
                file.write(f"{turn} {n}\n")
            file.flush()
            # A file that is gone from its pattern before anybody looked was never there.
            wait_for(lambda turn=turn: f"{turn} 0" in bodies(world.file("out")), "the file",
                     alive=[agent])
            os.rename(path, f"{path}.{turn}")  # no longer in the pattern
            file.write(f"{turn} late\n")
        expected += [f"{turn} {n}" for n in range(100)] + [f"{turn} late"]
        wait_for(lambda: len(bodies(world.file("out"))) >= len(expected), f"rows of turn {turn}",
                 alive=[agent])
    expect(bodies(world.file("out")) == expected, "rows lost, twice or out of order")


def check_start_at_end(world):
    e2e.write(world.file("logs/a.log"), "old\n")
    text = pipeline(world, "p", file_output(world, "out")).replace("beginning", "end")
    agent = e2e.Agent(world, text).start().wait_ready()
    wait_for(lambda: json.loads(agent.api.get("/api/v1/status"))["pipelines"][0]["origins"] == 1,
             "the file", alive=[agent])
    e2e.append(world.file("logs/a.log"), "new\n")
    e2e.write(world.file("logs/b.log"), "new file\n")
    wait_for(lambda: len(bodies(world.file("out"))) == 2, "the new rows", alive=[agent])
    expect(sorted(bodies(world.file("out"))) == ["new", "new file"], "another row")


def check_pod_logs(world):
    pod = world.file(f"pods/shop_web-0_{POD_UID}")
    e2e.write(pod + "/app/1.log",
              "2026-11-20T08:00:00.000000001Z stdout F whole\n"
              "2026-11-20T08:00:00.000000002Z stdout P first \n"
              "2026-11-20T08:00:00.000000003Z stderr F between\n"
              "2026-11-20T08:00:00.000000004Z stdout F second\n")
    e2e.write(pod + "/side/0.log",
              '{"log":"from docker\\n","stream":"stderr","time":"2026-11-20T08:00:00.5Z"}\n')
    agent = e2e.Agent(world, f"""
  - name: pods
    inputs: [{{type: pod_logs, root: '{world.file("pods")}', start_at: beginning}}]
    outputs: [{file_output(world, "out")}]
""").start()
    wait_for(lambda: len(bodies(world.file("out"))) == 4, "the rows", alive=[agent])
    rows = {row["body"]: row for row in e2e.json_lines(world.file("out"))}
    expect(set(rows) == {"whole", "first second", "between", "from docker"}, f"bodies: {set(rows)}")
    for row in rows.values():
        expect_row(row)
        expect(row["resource"]["k8s.namespace.name"] == "shop", f"namespace: {row}")
        expect(row["resource"]["k8s.pod.name"] == "web-0", f"pod: {row}")
        expect(row["resource"]["k8s.pod.uid"] == POD_UID, f"uid: {row}")
    expect(rows["whole"]["resource"]["k8s.container.name"] == "app", "container")
    expect(rows["whole"]["resource"]["k8s.container.restart_count"] == "1", "restart")
    expect(rows["from docker"]["resource"]["k8s.container.name"] == "side", "container")
    expect(rows["whole"]["time"] == "2026-11-20T08:00:00.000000001Z", "time of a CRI line")
    expect(rows["from docker"]["time"] == "2026-11-20T08:00:00.500000000Z", "time of a Docker line")
    expect("stderr" in rows["between"]["fields"].values(), f"stream: {rows['between']}")


def check_processors(world):
    processors = ("{type: parse_json}, {type: add_fields, fields: {team: blue}}")
    agent = e2e.Agent(world, pipeline(world, "p", file_output(world, "out"), processors=processors))
    e2e.write(world.file("logs/a.log"), '{"level":"warn","n":5,"deep":{"a":[1,null]}}\nnot json\n')
    agent.start()
    wait_for(lambda: len(bodies(world.file("out"))) == 2, "the rows", alive=[agent])
    first, second = e2e.json_lines(world.file("out"))
    expect(first["fields"]["level"] == "warn" and first["fields"]["n"] == 5, f"fields: {first}")
    expect(first["fields"]["team"] == "blue" == second["fields"]["team"], "add_fields")
    expect(second["body"] == "not json", "a line that cannot be parsed is kept")
    expect(any(key.startswith("kelp.") for key in second["fields"]), f"and marked: {second}")


def check_tap(world):
    agent = e2e.Agent(world, pipeline(world, "web", file_output(world, "out"))).start().wait_ready()
    url = f"http://127.0.0.1:{agent.port}"
    tap = subprocess.Popen([world.program("kelp"), "tap", "web", "--agent", url, "-o", "json",
                            "-n", "3"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        def feed():
            e2e.append(world.file("logs/a.log"), "tapped\n")
            return tap.poll() is not None
        wait_for(feed, "three rows", pause=0.1, alive=[agent])
        out, err = tap.communicate()
    finally:
        tap.kill()
    expect(tap.returncode == 0, f"exit code {tap.returncode}: {err}")
    rows = [json.loads(line) for line in out.splitlines()]
    expect(len(rows) == 3 and rows[0]["body"] == "tapped", f"rows: {out}")
    expect_row(rows[0])
    code, _, err = world.run("kelp", "tap", "nothing", "--agent", url)
    expect(code != 0, "a pipeline that is not there")
    expect_in("nothing", err, "its name")


# --- the server and what asks it -----------------------------------------------------------------

def server_with_agent(world, processors=""):
    server = e2e.Server(world).start().wait_ready().make_logstore()
    agent = e2e.Agent(world, pipeline(world, "p", e2e.kelp_output(server), processors=processors))
    return server, agent.start().wait_ready()


def kelp_logs(world, server, *arguments):
    token = e2e.write(world.file("token"), server.api.token)
    return world.run("kelp", "logs", *arguments, "--server", server.url, "--token-file", token,
                     "--project", e2e.PROJECT, "--logstore", e2e.LOGSTORE)


def check_from_file_to_search(world):
    server, agent = server_with_agent(world)
    times = []
    for n in range(10):
        word = f"needle{n}"
        begin = time.monotonic()
        e2e.append(world.file("logs/a.log"), f"hay {word} hay\n")
        wait_for(lambda word=word: server.rows(word), word, alive=[server, agent], pause=0.01)
        times.append(time.monotonic() - begin)
    times.sort()
    expect(times[len(times) // 2] < FRESH_SECONDS_MAX, f"lines take {times} s until they are found")
    row = server.rows("needle3")[0]
    expect_row(row)
    expect(row["body"] == "hay needle3 hay", f"body: {row}")
    expect(row["resource"]["log.file.path"] == world.file("logs/a.log"), f"resource: {row}")


def check_kelp_logs(world):
    server, agent = server_with_agent(world, "{type: parse_json}")
    e2e.write(world.file("logs/a.log"), "".join(
        json.dumps({"level": "error" if n % 2 else "info", "n": n}) + "\n" for n in range(10)))
    wait_for(lambda: server.total() == 10, "every row", alive=[server, agent])
    code, out, err = kelp_logs(world, server, "level:error", "--since", "1h", "-o", "json")
    expect(code == 0, f"exit code {code}: {err}")
    rows = [json.loads(line) for line in out.splitlines()]
    expect(sorted(row["fields"]["n"] for row in rows) == [1, 3, 5, 7, 9], f"rows: {out}")
    for row in rows:
        expect_row(row)
    code, out, err = kelp_logs(world, server, "n:>=8", "-o", "raw")
    expect(code == 0 and len(out.splitlines()) == 2, f"raw: {code} {out} {err}")
    code, out, err = kelp_logs(world, server, "level:error", "-o", "table")
    expect(code == 0 and len(out.splitlines()) >= 5, f"table: {code} {out} {err}")
    code, out, err = kelp_logs(world, server, "nowhere_to_be_found")
    expect(code == 0, f"nothing found: exit code {code}: {err}")


def check_kelp_logs_follow(world):
    server, agent = server_with_agent(world)
    token = e2e.write(world.file("token"), server.api.token)
    follow = subprocess.Popen(
        [world.program("kelp"), "logs", "-f", "-o", "raw", "live*", "--server", server.url,
         "--token-file", token, "--project", e2e.PROJECT, "--logstore", e2e.LOGSTORE],
        stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(1)
        for n in range(5):
            e2e.append(world.file("logs/a.log"), f"live{n}\ndead{n}\n")
        lines = [follow.stdout.readline().strip() for _ in range(5)]
        expect(lines == [f"live{n}" for n in range(5)], f"lines: {lines}")
    finally:
        follow.kill()
        follow.communicate()


def check_live_tail(world):
    server, agent = server_with_agent(world)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", server.base + "/tail?q=wanted",
                       headers={"Authorization": "Bearer " + server.api.token})
    answer = connection.getresponse()
    expect(answer.status == 200, f"status {answer.status}")
    expect_in("text/event-stream", answer.headers["Content-Type"], "content type")
    e2e.append(world.file("logs/a.log"), "unwanted\nwanted\n")
    lines = []
    while not any(line.startswith("data:") for line in lines):
        lines.append(answer.readline().decode().strip())
    connection.close()
    expect("event: row" in lines, f"lines: {lines}")
    expect_row(json.loads(lines[-1][len("data:"):]))


def check_search_pages(world):
    server = e2e.Server(world).start().wait_ready().make_logstore()
    text = "".join(json.dumps({"body": f"row {n}", "n": n}) + "\n" for n in range(2500))
    expect(server.ingest(text)[0] == 200, "ingest")
    rows = list(server.all_rows())
    expect(sorted(row["fields"]["n"] for row in rows) == list(range(2500)), "rows lost or twice")
    times = [row["time"] for row in rows]
    expect(times == sorted(times, reverse=True), "not newest first")
    expect(server.total() == 2500, "the histogram counts otherwise")


def check_a_row_sent_twice_is_stored_once(world):
    server, agent = server_with_agent(world)
    e2e.write(world.file("logs/a.log"), "".join(f"line {n}\n" for n in range(5000)))
    wait_for(lambda: server.total() == 5000, "every row", alive=[server, agent])
    # Killed right after, the agent has older positions on the disk and sends again.
    agent.kill()
    agent.start().wait_ready()
    e2e.append(world.file("logs/a.log"), "the last\n")
    wait_for(lambda: server.rows("last"), "the last row", alive=[server, agent])
    expect(server.total() == 5001, f"{server.total()} rows instead of 5001")


def check_server_endpoints(world):
    server = e2e.Server(world).start().wait_ready()
    expect(server.api.call("GET", "/healthz")[0] == 200, "/healthz")
    expect_in("# TYPE kelp_", server.api.get("/metrics"), "/metrics")
    api = json.loads(server.api.get("/api/v1/openapi.json"))
    expect(api["openapi"].startswith("3."), f"openapi: {api['openapi']}")
    expect(json.loads(server.api.get("/api/v1/session"))["role"] == "admin", "session")
    page = server.api.call("GET", "/")
    expect(page[0] == 200, f"GET / gives {page[0]}")
    expect(server.stop() == 0, "TERM does not end the server well")


def check_projects_and_logstores(world):
    server = e2e.Server(world).start().wait_ready().make_logstore()
    stores = json.loads(server.api.get(f"/api/v1/projects/{e2e.PROJECT}/logstores"))["logstores"]
    expect([store["name"] for store in stores] == [e2e.LOGSTORE], f"logstores: {stores}")
    answer = server.api.call("PATCH", server.base, {"retention": "7d", "retention_size": "1GiB"})
    expect(answer[0] == 200, f"PATCH gives {answer}")
    store = json.loads(server.api.get(server.base))
    expect((store["retention"], store["retention_size"]) == ("7d", "1GiB"), f"logstore: {store}")
    expect(server.api.call("DELETE", server.base)[0] in (200, 204), "DELETE")
    expect(server.search()[0] == 404, "a deleted logstore answers")


def check_kelp_up(world):
    port, agent_port = e2e.free_port(), e2e.free_port()
    os.makedirs(world.file("logs"))
    up = e2e.Program("kelp up", [
        world.program("kelp"), "up", "--data-dir", world.file("data"), "--listen",
        f"127.0.0.1:{port}", "--agent-listen", f"127.0.0.1:{agent_port}", "--include",
        world.file("logs/*.log")], world.file("up.log")).start()
    world.programs.append(up)
    wait_for(lambda: f"127.0.0.1:{port}" in up.log() and e2e.Api(port).get("/readyz"),
             "the address", alive=[up])
    word = f"up{time.time_ns():x}"
    e2e.write(world.file("logs/a.log"), word + "\n")
    tokens = [os.path.join(directory, "admin.token")
              for directory, _, names in os.walk(world.file("data")) if "admin.token" in names]
    expect(len(tokens) == 1, f"admin.token: {tokens}")

    def found():
        code, out, _ = world.run("kelp", "logs", word, "--server", f"http://127.0.0.1:{port}",
                                 "--token-file", tokens[0])
        return code == 0 and word in out
    wait_for(found, "the line", alive=[up], pause=0.2)
    code = up.stop()
    expect(code == 0, f"exit code {code}:\n{up.log()}")


# --- the command line ----------------------------------------------------------------------------

def check_config_validate(world):
    good = e2e.write(world.file("good.yaml"), f"data_dir: {world.path}\npipelines:" + pipeline(
        world, "p", file_output(world, "out")))
    code, out, err = world.run("kelp", "config", "validate", good)
    expect(code == 0, f"exit code {code}: {out}{err}")
    bad = e2e.write(world.file("bad.yaml"), "nonsense: 1\n")
    code, out, err = world.run("kelp", "config", "validate", bad)
    expect(code == 78, f"exit code {code}: {out}{err}")
    os.makedirs(world.file("d"))
    e2e.write(world.file("d/a.yaml"), "name: a\ninputs: [{type: file, include: [/x]}]\n"
              "outputs: [{type: blackhole}]\n")
    code, out, err = world.run("kelp", "config", "validate", world.file("d"))
    expect(code == 0, f"a directory: exit code {code}: {out}{err}")
    e2e.write(world.file("d/b.yaml"), "name: b\ninputs: []\n")
    code, out, err = world.run("kelp", "config", "validate", world.file("d"))
    expect(code == 78, f"a directory with a bad file: exit code {code}: {out}{err}")
    expect_in("b.yaml", err, "the bad file")


def check_config_test(world):
    text = """name: web
inputs: [{type: file, include: [/x]}]
processors: [{type: parse_json}]
outputs: [{type: blackhole}]
"""
    path = e2e.write(world.file("web.yaml"), text)
    samples = e2e.write(world.file("samples"), '{"level":"warn"}\n')
    code, out, err = world.run("kelp", "config", "test", path, "--input", samples, "-o", "json")
    expect(code == 0, f"exit code {code}: {out}{err}")
    row = json.loads(out.splitlines()[0])
    expect(row["fields"] == {"level": "warn"}, f"the resulting row: {row}")
    # Nothing was started: no file was read, no directory made.
    expect(sorted(os.listdir(world.path)) == ["samples", "web.yaml"], "the dry run left something")


def check_describe(world):
    for kind, names in (("input", ("file", "pod_logs")),
                        ("processor", ("parse_json", "parse_regex", "filter", "add_fields",
                                       "timestamp")),
                        ("output", ("kelp", "file", "stdout", "blackhole"))):
        for name in names:
            code, out, err = world.run("kelp", "describe", kind, name)
            expect(code == 0, f"describe {kind} {name}: exit code {code}: {err}")
            expect_in(name, out, f"describe {kind} {name}")


def check_versions(world):
    for program in ("kelp", "kelp-agent", "kelp-server"):
        code, out, _ = world.run(program, "--version")
        expect(code == 0 and re.search(r"\d+\.\d+\.\d+", out), f"{program} --version: {code} {out}")
        code, out, _ = world.run(program, "--help")
        expect(code == 0 and "usage" in out.lower(), f"{program} --help: {code} {out}")


if __name__ == "__main__":
    e2e.main(globals())
