#!/usr/bin/env python3
"""Kelp's own limits under real load: memory, processor time, descriptors, held files, a server that is
overloaded, outputs that are away. Every figure that is asserted is printed.

usage: limits.py BIN_DIR[:DIR...] [CHECK...]
"""
import json
import os
import re
import shutil
import sys
import threading
import time

sys.dont_write_bytecode = True
import kelp_e2e as e2e  # noqa: E402
from fault_proxy import FaultProxy  # noqa: E402
from faults import NOBODY, expect_lines, follow, no_inotify_instances, write_lines  # noqa: E402
from kelp_e2e import Skip, expect, expect_in, wait_for  # noqa: E402

MIB = 1 << 20
# What a burst may take above memory_limit for a moment (docs/guides/limits.md).
MEMORY_SLACK = 1.15


def say(**figures):
    """What was measured, for the log of the test."""
    print("         " + json.dumps(figures), flush=True)


def needs_real_figures(world):
    with open(world.program("kelp-agent"), "rb") as file:
        if b"__asan_init" in file.read():
            raise Skip("a sanitizer build's memory and speed are not Kelp's")


def memory(program, key):
    """Bytes of VmRSS or VmHWM."""
    return int(re.search(rf"{key}:\s+(\d+)", e2e.read(f"/proc/{program.process.pid}/status"))[1]) << 10


def cpu_seconds(program):
    fields = e2e.read(f"/proc/{program.process.pid}/stat").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def file_input(world, name, more=""):
    return f"{{type: file, include: ['{world.file(name)}/*.log'], start_at: beginning{more}}}"


def output_to(server, url, more=""):
    """As kelp_output, but by way of `url`."""
    return e2e.kelp_output(server).replace(server.url, url).replace("}", more + "}")


def ledger(agent):
    return json.loads(agent.api.get("/api/v1/ledger") or '{"adds_up": true, "entries": []}')


def write_numbered(world, directory, files, lines, width, first=0):
    """`lines` different lines of `width` bytes in each file, that no compression makes small."""
    os.makedirs(world.file(directory), exist_ok=True)
    for n in range(first, first + files):
        with open(world.file(directory, f"{n:03d}.log"), "w") as file:
            for i in range(lines):
                head = f"file {n:03d} line {i:06d} "
                file.write(head + os.urandom((width - len(head)) // 2).hex() + "\n")


def expect_each_once(server, files, lines, seconds=e2e.WAIT_SECONDS * 2):
    """The lines of write_numbered are stored, each once."""
    wait_for(lambda: (server.total() or 0) >= files * lines, f"{files * lines} rows are stored",
             seconds, pause=0.2, alive=[server])
    found = [row["body"][:20] for row in server.all_rows()]
    expected = {f"file {n:03d} line {i:06d} "[:20] for n in range(files) for i in range(lines)}
    missing, twice = expected - set(found), len(found) - len(set(found))
    say(rows=len(found), missing=len(missing), duplicate=twice)
    expect(not missing and not twice, f"missing {sorted(missing)[:5]}, {twice} twice")


# --- files ---------------------------------------------------------------------------------------

def check_ceilings_on_held_files(world):
    """Deleted files wait for an output that is away, up to held_files_max; what is lost is counted."""
    os.makedirs(world.file("logs"))
    nowhere = f"{{type: kelp, url: 'http://127.0.0.1:{e2e.free_port()}', token: x}}"
    agent = e2e.Agent(world, f"  - name: p\n    inputs: [{file_input(world, 'logs')}]\n"
                      f"    outputs: [{nowhere}]\n", "held_files_max: 2\n")
    # More than the output's queue takes, so that most of it must stay in the files.
    for n in range(5):
        e2e.write(world.file("logs", f"{n}.log"), f"{n}" * 1023 + "\n")
        with open(world.file("logs", f"{n}.log"), "a") as file:
            for _ in range(24 * 1024):
                file.write(f"{n}" * 1023 + "\n")
    agent.start().wait_ready()
    wait_for(lambda: agent.metric("kelp_tail_open_files") == 5, "all files are open", alive=[agent])
    for n in range(5):
        os.remove(world.file("logs", f"{n}.log"))
    lost = wait_for(lambda: agent.metric("kelp_pipeline_lost_bytes_total", pipeline="p",
                                         cause="held_files_max"), "losses are counted", alive=[agent])
    wait_for(lambda: agent.metric("kelp_tail_open_files") <= 2, "only two are held", alive=[agent])
    expect_in("held_files_max", agent.log(), "the message names the limit")
    say(lost_bytes=lost, open_files=agent.metric("kelp_tail_open_files"))


def check_line_of_a_gibibyte(world):
    """It is cut at line_bytes_max and counted, in bounded memory; the next line is a row."""
    needs_real_figures(world)
    if shutil.disk_usage(world.path).free < 4 << 30:
        raise Skip("needs 4 GiB of disk")
    os.makedirs(world.file("logs"))
    with open(world.file("logs", "app.log"), "wb") as file:
        file.write(b"before\n")
        for _ in range(1024):
            file.write(b"x" * MIB)
        file.write(b"\nafter\n")
    agent = e2e.Agent(world, f"  - name: p\n    inputs: [{file_input(world, 'logs')}]\n"
                      f"    outputs: [{{type: file, path: '{world.file('out.jsonl')}'}}]\n")
    agent.start().wait_ready()
    rows = wait_for(lambda: [row for row in [e2e.json_lines(world.file("out.jsonl"))]
                             if len(row) == 3], "three rows", alive=[agent])[0]
    peak = memory(agent, "VmHWM")
    say(peak_mib=peak // MIB, row_bytes=[len(row["body"]) for row in rows])
    expect([row["body"] for row in rows[::2]] == ["before", "after"], "the lines around it")
    expect(len(rows[1]["body"]) == 256 << 10, "it is cut at line_bytes_max")
    expect(rows[1]["fields"]["kelp.truncated"] is True, "it is marked")
    expect(agent.metric("kelp_tail_cut_lines_total") == 1, "it is counted")
    expect(peak < 48 * MIB, f"the agent took {peak} bytes")
    expect(agent.stop() == 0, "the agent did not stop in order")


def check_directory_opened_later(world):
    """Run as a user that may not look into a directory, and then may."""
    if os.geteuid() != 0:
        raise Skip("needs root, to be another user")
    os.makedirs(world.file("logs", "deep"))
    e2e.write(world.file("logs", "deep", "app.log"), "first\n")
    agent = e2e.Agent(world, "  - name: p\n    inputs: [{type: file, include: ["
                      f"'{world.file('logs')}/*/*.log'], start_at: beginning}}]\n"
                      f"    outputs: [{{type: file, path: '{world.file('out', 'rows.jsonl')}'}}]\n")
    for path in (agent.data_dir, world.file("out")):
        os.makedirs(path)
    for path in (world.path, agent.data_dir, agent.config, world.file("out")):
        os.chown(path, NOBODY, NOBODY)
    os.chmod(world.file("logs", "deep"), 0o700)
    agent.user = NOBODY
    agent.start().wait_ready()
    wait_for(lambda: "ermission denied" in agent.log(), "the agent says so", alive=[agent])
    expect_in("logs/deep", agent.log(), "the message names the directory")
    os.chmod(world.file("logs", "deep"), 0o755)
    wait_for(lambda: [row["body"] for row in e2e.json_lines(world.file("out", "rows.jsonl"))] ==
             ["first"], "the line", alive=[agent])
    expect(agent.stop() == 0, "the agent did not stop in order")


# --- the agent's own use -------------------------------------------------------------------------

def check_memory_limit_under_load(world):
    """A destination that stalls, 96 files in four pipelines; all of it arrives when it goes on."""
    needs_real_figures(world)
    limit, files, lines = 40 * MIB, 96, 1000
    server = e2e.Server(world).start().wait_ready().make_logstore()
    proxy = FaultProxy(server.port)
    write_numbered(world, "logs", files, lines, 1000)
    pipelines = "".join(
        f"  - name: p{n}\n    inputs: [{{type: file, include: ['{world.file('logs')}/*{n}.log', "
        f"'{world.file('logs')}/*{n + 5}.log'], start_at: beginning}}]\n"
        f"    outputs: [{output_to(server, proxy.url)}]\n" for n in range(5))
    agent = e2e.Agent(world, pipelines, f"memory_limit: {limit}B\n")
    proxy.mode = "hold"
    agent.start().wait_ready()
    wait_for(lambda: agent.metric("kelp_memory_used_bytes") > 8 * MIB, "memory fills up",
             alive=[agent])
    # The limit is looked at each second: so that it has been, under full pressure.
    end = time.monotonic() + 5
    while time.monotonic() < end:
        agent.check_alive()
        time.sleep(0.5)
    held, used = memory(agent, "VmHWM"), agent.metric("kelp_memory_used_bytes")
    proxy.mode = "pass"
    expect_each_once(server, files, lines)
    peak = memory(agent, "VmHWM")
    say(limit_mib=limit // MIB, stalled_peak_mib=round(held / MIB, 1), batches_mib=round(used / MIB, 1),
        peak_mib=round(peak / MIB, 1))
    expect(peak <= limit * MEMORY_SLACK, f"the agent took {peak} bytes of {limit}")
    e2e.append(world.file("logs", "000.log"), "it goes on\n")
    wait_for(lambda: server.total() == files * lines + 1, "a further line", alive=[agent, server])
    expect(agent.stop() == 0, "the agent did not stop in order")


def check_cpu_limit(world):
    """Ten pipelines parse the same large files; over ten seconds the agent stays within its share."""
    needs_real_figures(world)
    limit, seconds = 0.2, 10
    os.makedirs(world.file("logs"))
    line = '{"level":"info","message":"a request was served","path":"/index.html","bytes":123}\n'
    for n in range(4):
        with open(world.file("logs", f"{n}.log"), "w") as file:
            for _ in range(256):
                file.write(line * (MIB // len(line)))
    pipelines = "".join(f"  - name: p{n}\n    inputs: [{file_input(world, 'logs')}]\n"
                        "    processors: [{type: parse_json}]\n    outputs: [{type: blackhole}]\n"
                        for n in range(10))
    agent = e2e.Agent(world, pipelines, f"cpu_limit: {limit}\n").start().wait_ready()
    wait_for(lambda: agent.metric("kelp_tail_read_rows_total") > 0, "reading begins", alive=[agent])
    begin, cpu_begin = time.monotonic(), cpu_seconds(agent)
    time.sleep(seconds)
    used, passed = cpu_seconds(agent) - cpu_begin, time.monotonic() - begin
    lag = agent.metric("kelp_tail_lag_bytes")
    say(cpu_limit=limit, cpu_share=round(used / passed, 3), seconds=round(passed, 1), lag_bytes=lag)
    expect(lag > 0, "there was not enough to do to tell")
    expect(used <= limit * passed * 1.1 + 0.1, f"{used} s of processor time in {passed} s")
    expect(used > 0, "it stands still")
    agent.end()


def check_inotify_instances_freed(world):
    """While none is to be had files are scanned; when one is free again they are watched."""
    server = e2e.Server(world).start().wait_ready().make_logstore()
    agent = e2e.Agent(world, follow(world, server))
    with no_inotify_instances(world, server, agent):
        write_lines(world, 0, 200)
        expect_lines(server, 200)
        expect_in("scanning", agent.log(), "the agent says that it scans")
        expect(agent.metric("kelp_tail_watched_directories") == 0, "nothing is watched")
    wait_for(lambda: agent.metric("kelp_tail_watched_directories") > 0, "directories are watched",
             alive=[agent])
    write_lines(world, 200, 200)
    expect_lines(server, 400)
    expect(agent.stop() == 0, "the agent did not stop in order")


# --- destinations --------------------------------------------------------------------------------

def check_overloaded_server(world):
    """A server that answers 429 gets fewer requests at once, and more when it is quick again."""
    small = "store: {queue_bytes_max: 1MiB, commit_interval: 200ms}\n"
    files, lines = 32, 1000
    server = e2e.Server(world, small).start().wait_ready().make_logstore()
    write_numbered(world, "logs", files, lines, 1000)
    output = output_to(server, server.url, ", concurrency_max: 8, batch_bytes: 512KiB")
    agent = e2e.Agent(world, f"  - name: p\n    inputs: [{file_input(world, 'logs')}]\n"
                      f"    outputs: [{output}]\n").start().wait_ready()
    limits = []

    def limit():
        limits.append(agent.metric("kelp_output_concurrency_limit"))
        return limits[-1]
    wait_for(lambda: limit() and agent.metric("kelp_output_retries_total", reason="429") > 0,
             "the server asks to wait", pause=0.005, alive=[agent, server])
    wait_for(lambda: 0 < limit() < 8, "concurrency falls", pause=0.005, alive=[agent, server])
    wait_for(lambda: limit() and server.total() >= files * lines, "all is stored", 120,
             alive=[agent, server])
    expect_each_once(server, files, lines)
    lowest = min(value for value in limits if value > 0)
    # A server with room: more files, until lanes were wanted and granted again.
    expect(server.stop() == 0, "the server did not stop in order")
    config = server.arguments[-1]
    e2e.write(config, e2e.read(config).replace(small, ""))
    server.start().wait_ready()
    before = agent.metric("kelp_output_concurrency_limit")
    write_numbered(world, "logs", files, lines, 1000, first=files)
    top = wait_for(lambda: max(limit(), 0) > before and limits[-1], "concurrency recovers", 120,
                   pause=0.01, alive=[agent, server])
    say(lowest=lowest, before=before, recovered=top,
        retries_429=agent.metric("kelp_output_retries_total", reason="429"))
    expect_each_once(server, 2 * files, lines)


def check_one_output_down(world):
    """Pipelines with other outputs go on; the one that waits loses nothing, and figures add up."""
    server = e2e.Server(world).start().wait_ready().make_logstore()
    dark = FaultProxy(server.port)
    dark.mode = "hold"
    os.makedirs(world.file("logs"))

    def copy(name):
        return f"{{type: file, path: '{world.file(name + '.jsonl')}'}}"

    def pipeline(name, *outputs):
        return (f"  - name: {name}\n    inputs: [{file_input(world, 'logs')}]\n"
                f"    outputs: [{', '.join(outputs)}]\n")
    down = output_to(server, dark.url)
    agent = e2e.Agent(world, pipeline("both", copy("both"), down) +
                      pipeline("other", copy("other")) +
                      pipeline("spooled", copy("spooled"),
                               down.replace("}", ", logstore: spooled, spool: {size: 64MiB}}")
                               .replace(f"logstore: {e2e.LOGSTORE}, ", "")))
    server.api.call("POST", f"/api/v1/projects/{e2e.PROJECT}/logstores", {"name": "spooled"})
    agent.start().wait_ready()
    count = 3000
    for first in range(0, count, 500):
        write_lines(world, first, 500)
        expect(ledger(agent)["adds_up"], "the ledger adds up")
    for name in ("other", "spooled"):
        wait_for(lambda name=name: len(e2e.json_lines(world.file(name + ".jsonl"))) == count,
                 f"pipeline {name} goes on", alive=[agent])
    expect(agent.metric("kelp_spool_rows", pipeline="spooled") == count, "its rows are in the spool")
    # Rotated away and deleted while one output is down: it must be held open.
    os.rename(world.file("logs", "app.log"), world.file("logs", "old"))
    os.remove(world.file("logs", "old"))
    write_lines(world, count, 100)
    dark.mode = "pass"
    expect_lines(server, count + 100)
    wait_for(lambda: agent.metric("kelp_spool_rows", pipeline="spooled") == 0, "the spool is sent",
             alive=[agent])

    def settled():
        entries = ledger(agent)
        rows = [entry["figures"]["in_flight_rows"] for entry in entries["entries"]]
        return entries["adds_up"] and sum(rows) == 0
    wait_for(settled, "everything is accounted for", alive=[agent])
    for name in ("both", "other", "spooled"):
        delivered = sum(entry["figures"]["delivered_rows"] for entry in ledger(agent)["entries"]
                        if entry["pipeline"] == name)
        expect(delivered == count + 100, f"{name} delivered {delivered}")
    expect(agent.stop() == 0 and server.stop() == 0, "a program did not stop in order")


def check_drain_on_stop(world):
    """What was read is sent within shutdown_grace; after that the agent ends anyway, losing nothing."""
    server = e2e.Server(world).start().wait_ready().make_logstore()
    proxy = FaultProxy(server.port)
    pipelines = follow(world, server).replace(server.url, proxy.url)
    agent = e2e.Agent(world, pipelines, "shutdown_grace: 30s\n").start().wait_ready()
    proxy.mode = "hold"
    write_lines(world, 0, 500)
    wait_for(lambda: agent.metric("kelp_tail_read_rows_total") == 500, "they are read",
             alive=[agent])
    threading.Timer(2, lambda: setattr(proxy, "mode", "pass")).start()
    expect(agent.stop() == 0, "the agent did not stop in order")
    expect_lines(server, 500)
    # Its position is behind them: nothing is sent again.
    agent.start().wait_ready()
    write_lines(world, 500, 1)
    expect_lines(server, 501)
    expect(agent.metric("kelp_output_duplicate_rows_total") == 0, "something was sent twice")
    expect(agent.stop() == 0, "the agent did not stop in order")
    # The same with a destination that never answers.
    agent.extra = "shutdown_grace: 1s\n"
    agent.configure(pipelines)
    agent.start().wait_ready()
    proxy.mode = "hold"
    write_lines(world, 501, 500)
    wait_for(lambda: agent.metric("kelp_tail_read_rows_total") == 500, "they are read",
             alive=[agent])
    begin = time.monotonic()
    expect(agent.stop() == 0, "the agent did not stop in order")
    say(stop_seconds=round(time.monotonic() - begin, 1))
    proxy.mode = "pass"
    agent.start().wait_ready()
    expect_lines(server, 1001)
    expect(agent.stop() == 0 and server.stop() == 0, "a program did not stop in order")


def check_killed_with_a_spool(world):
    """Rows that only the spool has left survive SIGKILL, and arrive once."""
    server = e2e.Server(world).start().wait_ready().make_logstore()
    proxy = FaultProxy(server.port)
    proxy.mode = "refuse"
    os.makedirs(world.file("logs"))
    spooled = output_to(server, proxy.url, ", spool: {size: 64MiB}")
    agent = e2e.Agent(world, f"  - name: p\n    inputs: [{file_input(world, 'logs')}]\n"
                      f"    outputs: [{spooled}]\n").start().wait_ready()
    written = 0
    for _ in range(4):
        write_lines(world, written, 1000)
        written += 1000
        wait_for(lambda: agent.metric("kelp_spool_rows") == written, "the spool has them",
                 alive=[agent])
        # Gone for good: only the spool has them.
        os.remove(world.file("logs", "app.log"))
        wait_for(lambda: agent.metric("kelp_tail_lag_bytes") == 0, "the file is done with",
                 alive=[agent])
        agent.kill()
        agent.start().wait_ready()
    proxy.mode = "pass"
    expect_lines(server, written)
    wait_for(lambda: agent.metric("kelp_spool_rows") == 0, "the spool is empty", alive=[agent])
    expect(agent.stop() == 0 and server.stop() == 0, "a program did not stop in order")


def check_dropped_by_a_full_spool(world):
    """What a full spool drops goes to the dead-letter output, with the reason; the rest is delivered."""
    server = e2e.Server(world).start().wait_ready().make_logstore()
    proxy = FaultProxy(server.port)
    proxy.mode = "refuse"
    files, lines = 4, 4000
    write_numbered(world, "logs", files, lines, 1000)
    # What the output itself has in hand is not dropped: less than the spool.
    spooled = output_to(server, proxy.url, ", queue_bytes_max: 1MiB, batch_bytes: 256KiB, "
                        "spool: {size: 4MiB, when_full: drop_oldest}")
    agent = e2e.Agent(world, f"  - name: p\n    inputs: [{file_input(world, 'logs')}]\n"
                      f"    outputs: [{spooled}]\n"
                      f"    dead_letter: {{type: file, path: '{world.file('dead.jsonl')}'}}\n")
    agent.start().wait_ready()
    wait_for(lambda: agent.metric("kelp_spool_dropped_rows_total") > 0 and
             agent.metric("kelp_tail_lag_bytes") == 0, "all is read", alive=[agent])
    proxy.mode = "pass"
    wait_for(lambda: agent.metric("kelp_spool_rows") == 0, "the spool is empty", alive=[agent])
    dropped = agent.metric("kelp_spool_dropped_rows_total")
    wait_for(lambda: len(e2e.json_lines(world.file("dead.jsonl"))) == dropped, "the dead letters",
             alive=[agent])
    dead = e2e.json_lines(world.file("dead.jsonl"))
    expect(dead[0]["fields"]["kelp.drop_reason"] == "spool_full", f"a reason: {dead[0]}")
    stored = [row["body"][:20] for row in server.all_rows()]
    found = sorted(stored + [row["body"][:20] for row in dead])
    say(stored=len(stored), dead_letters=len(dead), dropped=dropped)
    expect(len(found) == len(set(found)) == files * lines, f"{len(found)} rows are somewhere")
    expect(agent.metric("kelp_output_dropped_rows_total") == dropped, "they are counted once")
    expect(agent.stop() == 0 and server.stop() == 0, "a program did not stop in order")


if __name__ == "__main__":
    e2e.main(globals())
