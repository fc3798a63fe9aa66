#!/usr/bin/env python3
"""What the real programs say and do when something is wrong: one clear message, nothing lost,
nothing crashes.

usage: bad_input.py BIN_DIR[:DIR...] [CHECK...]
"""
import contextlib
import glob
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.parse

sys.dont_write_bytecode = True
import kelp_e2e as e2e  # noqa: E402
from kelp_e2e import Skip, expect, expect_in, wait_for  # noqa: E402

EXIT_USAGE, EXIT_DATA, EXIT_UNAVAILABLE, EXIT_CONFIG = 64, 65, 69, 78
NOBODY = 65534


def copies(world, out="out.jsonl", extra=""):
    """A pipeline from logs/*.log to a JSON file, as YAML."""
    os.makedirs(world.file("logs"), exist_ok=True)
    return f"""
  - name: copy
    inputs: [{{type: file, include: ['{world.file("logs")}/*.log'], start_at: beginning{extra}}}]
    outputs: [{{type: file, path: '{world.file(out)}'}}]
"""


def bodies(path):
    return [row["body"] for row in e2e.json_lines(path)]


def expect_no_crash(program):
    for word in ("CHECK failed", "Sanitizer", "terminate called", "Segmentation"):
        expect(word not in program.log(), f"{program.name} crashed:\n{program.log()[-3000:]}")


# --- configuration -------------------------------------------------------------------------------

def check_broken_yaml(world):
    for program in ("kelp-agent", "kelp-server"):
        path = e2e.write(world.file("broken.yaml"), "data_dir: /tmp/x\nhttp: {listen: 'a\n")
        code, _, err = world.run(program, "-c", path)
        expect(code == EXIT_CONFIG, f"{program}: exit code {code}: {err}")
        expect(re.search(re.escape(path) + r":\d+:\d+: ", err), f"{program}: no place in: {err}")
    code, _, err = world.run("kelp", "config", "validate", path)
    expect(code == EXIT_CONFIG, f"kelp config validate: exit code {code}: {err}")
    expect(re.search(r"broken\.yaml:\d+:\d+: ", err), f"no place in: {err}")


def check_unknown_keys(world):
    path = e2e.write(world.file("agent.yaml"), "data_dri: /tmp/x\nhttp: {lisen: ':1'}\n")
    code, _, err = world.run("kelp-agent", "-c", path)
    expect(code == EXIT_CONFIG, f"exit code {code}: {err}")
    expect_in(f"{path}:1:1: ", err, "place of the first")
    expect_in("data_dri", err, "the key")
    expect_in("data_dir", err, "the nearest name")
    expect_in("lisen", err, "the second problem, told at once")
    path = e2e.write(world.file("server.yaml"), "data_dir: /tmp/x\nstoer: {}\n")
    code, _, err = world.run("kelp-server", "-c", path)
    expect(code == EXIT_CONFIG, f"exit code {code}: {err}")
    expect_in(f"{path}:2:1: ", err, "place")
    expect_in("store", err, "the nearest name")


def check_unknown_keys_of_components(world):
    path = e2e.write(world.file("agent.yaml"), """data_dir: /tmp/x
pipelines:
  - name: p
    inputs: [{type: file, inclde: [/x]}]
    outputs: [{type: fil, path: /x}]
""")
    code, _, err = world.run("kelp", "config", "validate", path)
    expect(code == EXIT_CONFIG, f"exit code {code}: {err}")
    expect_in(f"{path}:4:", err, "place of the first")
    expect_in("include", err, "the nearest key")
    expect_in(f"{path}:5:", err, "place of the second")
    expect_in("file", err, "the nearest type")


def check_missing_configuration(world):
    for program in ("kelp-agent", "kelp-server"):
        code, _, err = world.run(program, "-c", world.file("nowhere.yaml"))
        expect(code == EXIT_CONFIG, f"{program}: exit code {code}: {err}")
        expect_in(world.file("nowhere.yaml"), err, "the path")
        expect_in("No such file", err, "the reason")


def check_wrong_values(world):
    path = e2e.write(world.file("agent.yaml"), """data_dir: /tmp/x
memory_limit: lots
cpu_limit: -1
pipelines:
  - name: p
    inputs: [{type: file, include: []}]
    outputs: [{type: kelp, url: 'nonsense'}]
""")
    code, _, err = world.run("kelp", "config", "validate", path)
    expect(code == EXIT_CONFIG, f"exit code {code}: {err}")
    for line, word in ((2, "lots"), (3, "-1"), (6, "at least 1"), (7, "nonsense")):
        found = [text for text in err.splitlines() if f":{line}:" in text and word in text]
        expect(found, f"nothing about line {line}, {word}, in:\n{err}")


def check_wrong_pattern(world):
    path = e2e.write(world.file("p.yaml"), """name: p
inputs: [{type: file, include: [/x]}]
processors: [{type: parse_regex, pattern: '(unclosed'}]
outputs: [{type: blackhole}]
""")
    code, _, err = world.run("kelp", "config", "validate", path)
    expect(code == EXIT_CONFIG, f"exit code {code}: {err}")
    expect_in(f"{path}:3:", err, "the place")
    expect_in("at character 9", err, "the place in the pattern")


def check_wrong_arguments(world):
    for program in ("kelp-agent", "kelp-server", "kelp"):
        code, _, err = world.run(program, "--nonsense")
        expect(code == EXIT_USAGE, f"{program}: exit code {code}: {err}")
        expect_in("--nonsense", err, program)


def check_a_bad_reload_keeps_what_runs(world):
    agent = e2e.Agent(world, copies(world)).start().wait_ready()
    e2e.append(world.file("logs/a.log"), "before\n")
    wait_for(lambda: "before" in bodies(world.file("out.jsonl")), "the first line", alive=[agent])
    agent.configure("  - {name: copy, inputs: [{type: nonsense}], outputs: [{type: stdout}]}\n")
    agent.signal(1)
    wait_for(lambda: "nonsense" in agent.log(), "the message", alive=[agent])
    e2e.append(world.file("logs/a.log"), "after\n")
    wait_for(lambda: bodies(world.file("out.jsonl")) == ["before", "after"],
             "the line after the bad reload", alive=[agent])
    expect_in(f"{agent.config}:", agent.log(), "the file")


# --- rights, ports, directories ------------------------------------------------------------------

@contextlib.contextmanager
def unprivileged(world):
    """How a program is started that may not read everything: as nobody when we are root."""
    if os.geteuid() != 0:
        yield {}
        return
    os.chmod(world.path, 0o777)
    for directory, _, files in os.walk(world.path):
        for name in [directory] + [os.path.join(directory, file) for file in files]:
            os.chown(name, NOBODY, NOBODY)
    probe = subprocess.run([world.program("kelp-agent"), "--version"], user=NOBODY,
                           capture_output=True)
    if probe.returncode != 0:
        raise Skip("the user nobody may not run the programs where they are")
    yield {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def start_as(program, options):
    with open(program.log_path, "a") as log:
        program.process = subprocess.Popen(program.arguments, stdin=subprocess.DEVNULL, stdout=log,
                                           stderr=log, **options)
    return program


def check_unreadable_log_file(world):
    pipelines = copies(world)
    e2e.write(world.file("logs/open.log"), "read me\n")
    e2e.write(world.file("logs/secret.log"), "not me\n")
    agent = e2e.Agent(world, pipelines)
    with unprivileged(world) as options:
        os.chmod(world.file("logs/secret.log"), 0)
        if options:
            os.chown(world.file("logs/secret.log"), 0, 0)
        try:
            start_as(agent, options).wait_ready()
            wait_for(lambda: bodies(world.file("out.jsonl")) == ["read me"], "the readable file",
                     alive=[agent])
            message = wait_for(lambda: [line for line in agent.log().splitlines()
                                        if "secret.log" in line], "the message", alive=[agent])
            expect_in("ermission denied", message[0], "the reason")
            # Mended, it is read without a restart.
            os.chmod(world.file("logs/secret.log"), 0o644)
            wait_for(lambda: "not me" in bodies(world.file("out.jsonl")), "the mended file",
                     alive=[agent])
        finally:
            os.chmod(world.file("logs/secret.log"), 0o644)


def check_unreadable_configuration(world):
    agent = e2e.Agent(world, copies(world))
    with unprivileged(world) as options:
        os.chmod(agent.config, 0)
        if options:
            os.chown(agent.config, 0, 0)
        code = start_as(agent, options).wait()
    expect(code in (77, EXIT_CONFIG), f"exit code {code}")
    expect_in(agent.config, agent.log(), "the path")
    expect_in("ermission denied", agent.log(), "the reason")


def check_data_directory_without_rights(world):
    agent = e2e.Agent(world, copies(world))
    e2e.write(world.file("plain"), "")
    agent.configure(copies(world))
    text = e2e.read(agent.config).replace(agent.data_dir, world.file("plain/data"))
    e2e.write(agent.config, text)
    code = agent.start().wait()
    expect(code not in (0, None) and code > 0, f"exit code {code}")
    expect_in(world.file("plain"), agent.log(), "the path")


def check_port_in_use(world):
    agent, server = e2e.Agent(world, copies(world)), e2e.Server(world)
    for program in (agent, server):
        with socket.socket() as holder:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            holder.bind(("127.0.0.1", program.port))
            holder.listen()
            code = program.start().wait()
        expect(code == EXIT_UNAVAILABLE, f"{program.name}: exit code {code}: {program.log()}")
        expect_in(f"127.0.0.1:{program.port}", program.log(), program.name)
        expect_in("uses this port", program.log(), program.name)


def check_second_agent_on_the_same_data_directory(world):
    first = e2e.Agent(world, copies(world)).start().wait_ready()
    second = e2e.Agent(world, copies(world, "second.jsonl"), name="second")
    e2e.write(second.config, e2e.read(second.config).replace(second.data_dir, first.data_dir))
    code = second.start().wait()
    expect(code == EXIT_UNAVAILABLE, f"exit code {code}: {second.log()}")
    expect_in(first.data_dir, second.log(), "the directory")
    expect_in(str(first.process.pid), second.log(), "who holds it")
    e2e.append(world.file("logs/a.log"), "still here\n")
    wait_for(lambda: bodies(world.file("out.jsonl")) == ["still here"], "the first agent's work",
             alive=[first])
    expect(not os.path.exists(world.file("second.jsonl")), "the second agent wrote")


def check_second_server_on_the_same_data_directory(world):
    first = e2e.Server(world).start().wait_ready()
    first_config = e2e.read(world.file("server.yaml"))
    second = e2e.Server(world, data_dir=first.data_dir)
    second.log_path = world.file("second.log")
    code = second.start().wait()
    expect(code == EXIT_UNAVAILABLE, f"exit code {code}: {second.log()}")
    expect_in(first.data_dir, second.log(), "the directory")
    first.check_alive()
    e2e.write(world.file("server.yaml"), first_config)


# --- damaged data --------------------------------------------------------------------------------

def damage(path, offset, size=64):
    """Turns bytes over."""
    with open(path, "r+b") as file:
        file.seek(offset)
        old = file.read(size)
        file.seek(offset)
        file.write(bytes(byte ^ 0xff for byte in old))


def check_corrupt_checkpoint_database(world):
    agent = e2e.Agent(world, copies(world)).start().wait_ready()
    e2e.append(world.file("logs/a.log"), "one\n")
    wait_for(lambda: bodies(world.file("out.jsonl")) == ["one"], "the first line", alive=[agent])
    expect(agent.stop() == 0, "the agent ended badly")
    databases = [path for path in glob.glob(agent.data_dir + "/**", recursive=True)
                 if os.path.isfile(path) and is_sqlite(path)]
    expect(databases, f"no database in {agent.data_dir}: {os.listdir(agent.data_dir)}")
    for path in databases:
        damage(path, 0, os.path.getsize(path))
    agent.start().wait_ready()
    wait_for(lambda: os.path.basename(databases[0]) in agent.log(), "the message", alive=[agent])
    e2e.append(world.file("logs/a.log"), "two\n")
    wait_for(lambda: "two" in bodies(world.file("out.jsonl")), "the line after it", alive=[agent])
    e2e.append(world.file("logs/b.log"), "three\n")
    wait_for(lambda: "three" in bodies(world.file("out.jsonl")), "a new file", alive=[agent])
    # The new database is a good one.
    count = len(bodies(world.file("out.jsonl")))
    expect(agent.stop() == 0, "the agent ended badly")
    agent.start().wait_ready()
    e2e.append(world.file("logs/b.log"), "four\n")
    wait_for(lambda: "four" in bodies(world.file("out.jsonl")), "a line after one more start",
             alive=[agent])
    expect(len(bodies(world.file("out.jsonl"))) == count + 1, "lines came twice")
    expect_no_crash(agent)


def is_sqlite(path):
    with open(path, "rb") as file:
        return file.read(15) == b"SQLite format 3"


def store_files(server, *suffixes):
    return sorted(path for path in glob.glob(server.data_dir + "/store/**", recursive=True)
                  if os.path.isfile(path) and path.endswith(suffixes))


def fill_server(server, count=20000, first=0):
    """Rows whose text does not compress to nothing, so that files are large enough to damage."""
    for begin in range(first, first + count, 2000):
        lines = "".join(json.dumps({"body": f"row {n} {n * 2654435761 % 2**32:08x}", "n": n}) + "\n"
                        for n in range(begin, begin + 2000))
        answer = server.ingest(lines)
        expect(answer and answer[0] == 200, f"ingest gives {answer}")


def check_corrupt_segment(world):
    # Small hot tails, so that there are segments soon.
    server = e2e.Server(world, "store: {hot_bytes_max: 1MiB, hot_age_max: 1s}\n")
    server.start().wait_ready().make_logstore()
    fill_server(server, 40000)
    wait_for(lambda: store_files(server, ".seg", ".segment", ".kseg"), "a segment", alive=[server])
    expect(server.stop() == 0, "the server ended badly")
    segments = store_files(server, ".seg", ".segment", ".kseg")
    largest = max(segments, key=os.path.getsize)
    code, out, err = world.run("kelp-server", "check", "-c", world.file("server.yaml"))
    expect(code == 0, f"check of a good store: {code}\n{out}{err}")
    damage(largest, os.path.getsize(largest) // 3)
    code, out, err = world.run("kelp-server", "check", "-c", world.file("server.yaml"))
    expect(code not in (0, 139, 134), f"check of a damaged store: {code}\n{out}{err}")
    expect_in(os.path.basename(largest), out + err, "the file")
    server.start().wait_ready()
    # Looks at every row, and so at the damaged block.
    query = urllib.parse.urlencode({"q": "/row [0-9]+ [0-9a-f]/", "from": "-1d"})
    answer = server.api.call("GET", f"{server.base}/histogram?{query}")
    expect(answer is not None, "no answer")
    if answer[0] == 200:
        page = json.loads(answer[2])
        expect(page["partial"], f"rows are missing and nothing says so: {page['total']} of 40000")
        expect(page["total"] > 0, "the good rows are not found")
    expect_in(os.path.basename(largest).split(".")[0], server.log() + answer[2], "which segment")
    fill_server(server, 2000, first=100000)
    wait_for(lambda: server.rows("n:101999"), "rows written afterwards", alive=[server])
    expect_no_crash(server)


def check_corrupt_write_ahead_log(world):
    server = e2e.Server(world).start().wait_ready().make_logstore()
    fill_server(server, 10000)
    server.kill()
    logs = store_files(server, ".wal", ".log")
    expect(logs, f"no write-ahead log in {glob.glob(server.data_dir + '/**', recursive=True)}")
    largest = max(logs, key=os.path.getsize)
    damage(largest, os.path.getsize(largest) // 2)
    server.start().wait_ready()
    expect_in(os.path.basename(largest), server.log(), "the file")
    found = len(server.rows("*", 1000))
    expect(found > 0, "the rows before the damage are gone")
    fill_server(server, 2000, first=100000)
    wait_for(lambda: server.rows("n:101999"), "rows written afterwards", alive=[server])
    expect_no_crash(server)


def check_torn_write_ahead_log(world):
    server = e2e.Server(world).start().wait_ready().make_logstore()
    fill_server(server, 10000)
    server.kill()
    largest = max(store_files(server, ".wal", ".log"), key=os.path.getsize)
    with open(largest, "ab") as file:
        file.write(b"\x01\x02half a record")
    server.start().wait_ready()
    wait_for(lambda: server.total() == 10000, "every row", alive=[server])
    expect_no_crash(server)


# --- requests ------------------------------------------------------------------------------------

def error_of(answer, status):
    expect(answer is not None, "no answer")
    expect(answer[0] == status, f"expected {status}, got {answer[0]}: {answer[2][:500]}")
    return json.loads(answer[2])["error"]


def check_malformed_ingest(world):
    server = e2e.Server(world).start().wait_ready().make_logstore()
    error = error_of(server.ingest('{"body":"good"}\n{"body":\n{"body":"good"}\n'), 400)
    expect_in("line 2", error["message"], "which line")
    for body in (b"", b"nonsense", b"\x28\xb5\x2f\xfd\x00\x00\x01\x00\x00", bytes(100000)):
        answer = server.api.call("POST", server.base + "/batches", body,
                                 {"Content-Type": "application/x-kelp-batch"})
        if body == b"" and answer[0] == 200:
            continue
        expect(error_of(answer, 400)["message"], "no message")
    expect(not server.rows(), "a refused body was stored")
    expect_no_crash(server)


def check_body_too_large(world):
    server = e2e.Server(world).start().wait_ready().make_logstore()
    # The refusal comes before the body was sent; the end of the connection may overtake it.
    for _ in range(20):
        answer = server.ingest(b"x" * (17 << 20))
        if answer is not None:
            break
    error = error_of(answer, 413)
    expect(re.search(r"16\s?MiB|16777216|large", error["message"]), f"no limit in: {error}")
    answer = server.ingest('{"body":"small"}\n')
    expect(answer[0] == 200, f"a small one afterwards gives {answer}")


def check_requests_without_rights(world):
    server = e2e.Server(world).start().wait_ready().make_logstore()
    good = server.api.token
    server.api.token = ""
    error_of(server.search(), 401)
    server.api.token = "wrong"
    error_of(server.search(), 401)
    server.api.token = e2e.read(server.data_dir + "/agent.token").strip()
    error_of(server.search(), 403)
    server.api.token = good
    error_of(server.api.call("GET", "/api/v1/projects/none/logstores/logs/search"), 404)
    answer = server.api.call("PUT", "/api/v1/projects")
    error_of(answer, 405)
    expect(answer[1].get("Allow"), "405 without Allow")


def check_invalid_query(world):
    server = e2e.Server(world).start().wait_ready().make_logstore()
    for query, position in (("level:", 6), ("(a OR b", 0), ("a AND", 5), ("/(/", None),
                            ('"open', None)):
        error = error_of(server.search(query), 400)
        expect(error["message"], f"{query}: no message")
        expect("position" in error, f"{query}: no position in {error}")
        if position is not None:
            expect(abs(error["position"] - position) <= 1, f"{query}: {error}")
    token = e2e.write(world.file("token"), server.api.token)
    code, _, err = world.run("kelp", "logs", "(a OR b", "--server", server.url, "--token-file",
                             token, "--project", e2e.PROJECT)
    expect(code == EXIT_DATA, f"kelp logs: exit code {code}: {err}")
    expect_in("^", err, "kelp logs points at the character")
    for parameters in ("limit=0", "limit=5000", "from=yesterday", "cursor=nonsense", "limit=x"):
        error_of(server.api.call("GET", f"{server.base}/search?q=a&{parameters}"), 400)


def check_query_that_runs_too_long(world):
    server = e2e.Server(world, "query: {time_max: 100ms}\n").start().wait_ready().make_logstore()
    text = "a" * 3000 + "!"
    for _ in range(10):
        answer = server.ingest((json.dumps({"body": text}) + "\n") * 500)
        expect(answer[0] == 200, f"ingest gives {answer}")
    begin = time.monotonic()
    answer = server.search("/(a+)+[^a!]$/")
    took = time.monotonic() - begin
    expect(took < 20, f"took {took:.1f} s")
    expect(answer is not None, "no answer")
    if answer[0] == 200:
        page = json.loads(answer[2])
        expect(page["partial"], f"200 and nothing says that it is not complete: {page['stats']}")
        expect_in("100ms", page["partial"], "the limit")
    else:
        expect_in("100ms", error_of(answer, 504)["message"], "the limit")
    expect(server.rows("aaa", 1) == [] or server.search("*", 1)[0] == 200, "it works afterwards")


def check_server_that_is_not_there(world):
    token = e2e.write(world.file("token"), "t")
    url = f"http://127.0.0.1:{e2e.free_port()}"
    code, _, err = world.run("kelp", "logs", "x", "--server", url, "--token-file", token)
    expect(code == EXIT_UNAVAILABLE, f"exit code {code}: {err}")
    expect_in(url[len("http://"):], err, "the address")


# --- full disk -----------------------------------------------------------------------------------

@contextlib.contextmanager
def small_disk(world, mebibytes):
    path = world.file("disk")
    os.makedirs(path)
    if os.geteuid() != 0:
        raise Skip("mounting a small disk takes root")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "kelp-e2e", path],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Skip(f"cannot mount a small disk here: {done.stderr.strip()}")
    try:
        yield path
    finally:
        for program in world.programs:
            program.end()
        subprocess.run(["umount", "-l", path], check=False)


def fill_disk(path):
    filler = os.path.join(path, "filler")
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(64 << 10))
    with open(filler, "ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x")
    return filler


def check_full_disk_under_an_output_file(world):
    with small_disk(world, 4) as disk:
        agent = e2e.Agent(world, copies(world, out="disk/out.jsonl")).start().wait_ready()
        e2e.append(world.file("logs/a.log"), "before\n")
        out = os.path.join(disk, "out.jsonl")
        wait_for(lambda: bodies(out) == ["before"], "the first line", alive=[agent])
        filler = fill_disk(disk)
        lines = [f"line {n} " + "x" * 500 for n in range(2000)]
        e2e.append(world.file("logs/a.log"), "".join(line + "\n" for line in lines))
        wait_for(lambda: "No space left" in agent.log(), "the message", alive=[agent])
        expect_in(out, agent.log(), "the path")
        text = e2e.read(out)
        expect(text.endswith("\n"), "a partial line stayed in the file")
        os.remove(filler)
        wait_for(lambda: len(bodies(out)) == 2001, "all lines after space was freed", alive=[agent])
        expect(bodies(out) == ["before"] + lines, "lines are missing, twice or out of order")
        expect(agent.log().count("No space left") < 20, "the message floods the log")


def check_full_disk_under_the_agents_positions(world):
    with small_disk(world, 4) as disk:
        agent = e2e.Agent(world, copies(world))
        text = e2e.read(agent.config).replace(agent.data_dir, os.path.join(disk, "data"))
        e2e.write(agent.config, text)
        agent.start().wait_ready()
        filler = fill_disk(disk)
        for n in range(20):
            e2e.append(world.file("logs/a.log"), f"line {n}\n")
            time.sleep(0.1)
        wait_for(lambda: len(bodies(world.file("out.jsonl"))) == 20, "reading goes on",
                 alive=[agent])
        wait_for(lambda: "No space left" in agent.log() or "full" in agent.log(), "the message",
                 alive=[agent])
        os.remove(filler)
        e2e.append(world.file("logs/a.log"), "last\n")
        wait_for(lambda: "last" in bodies(world.file("out.jsonl")), "the last line", alive=[agent])
        time.sleep(2.5)  # Positions are made durable within a second, retries a little later.
        expect(agent.stop() == 0, "the agent ended badly")
        agent.start().wait_ready()
        e2e.append(world.file("logs/a.log"), "again\n")
        wait_for(lambda: "again" in bodies(world.file("out.jsonl")), "a line after the restart",
                 alive=[agent])
        expect(len(bodies(world.file("out.jsonl"))) == 22, "lines came twice after the restart")


def check_full_disk_under_the_server(world):
    with small_disk(world, 64) as disk:
        server = e2e.Server(world, "store: {disk_free_min: 8MiB}\n",
                            data_dir=os.path.join(disk, "data"))
        server.start().wait_ready().make_logstore()
        fill_server(server, 2000)
        filler = fill_disk(disk)

        def refused():
            answer = server.ingest('{"body":"late"}\n')
            return answer if answer and answer[0] == 503 else None

        answer = wait_for(refused, "a refusal with 503", alive=[server])
        expect(answer[1].get("Retry-After"), "503 without Retry-After")
        expect_in("disk", json.loads(answer[2])["error"]["message"], "the reason")
        expect(len(server.rows("*", 1000)) == 1000, "search does not work on a full disk")
        os.remove(filler)
        wait_for(lambda: server.ingest('{"body":"later"}\n')[0] == 200, "ingest after space was "
                 "freed", alive=[server])
        wait_for(lambda: server.rows("later"), "the row", alive=[server])
        expect_no_crash(server)


if __name__ == "__main__":
    e2e.main(globals())
