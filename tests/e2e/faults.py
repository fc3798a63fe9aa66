#!/usr/bin/env python3
"""The machine misbehaves: the disk fills up, the clock jumps, programs are suspended, limits are
reached. Every line still arrives once, and the operator is told.

usage: faults.py BIN_DIR[:DIR...] [CHECK...]
"""
import contextlib
import os
import re
import resource
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import kelp_e2e as e2e  # noqa: E402
from fault_proxy import FaultProxy  # noqa: E402
from kelp_e2e import Skip, expect, expect_in, wait_for  # noqa: E402

LIBFAKETIME = ["/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
               "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1"]
NOBODY = 65534
INOTIFY_HOLDER = """
import ctypes, sys
libc = ctypes.CDLL(None)
count = 0
while libc.inotify_init() >= 0:
    count += 1
print(count, flush=True)
sys.stdin.read()
"""


def follow(world, server, name="follow", more=""):
    os.makedirs(world.file("logs"), exist_ok=True)
    return (f"  - name: {name}\n    inputs: [{{type: file, include: ['{world.file('logs')}/*.log'], "
            f"start_at: beginning{more}}}]\n    outputs: [{e2e.kelp_output(server)}]\n")


def write_lines(world, first, count, name="app.log"):
    e2e.append(world.file("logs", name),
               "".join(f"line {n:06d}\n" for n in range(first, first + count)))


def expect_lines(server, count, seconds=e2e.WAIT_SECONDS):
    """Each of `count` numbered lines is stored, once."""
    wait_for(lambda: (server.total() or 0) >= count, f"{count} rows are stored", seconds,
             pause=0.1, alive=[server])
    bodies = sorted(row["body"] for row in server.all_rows())
    expected = [f"line {n:06d}" for n in range(count)]
    expect(bodies == expected, f"{len(bodies)} rows, {len(set(bodies))} different ones, expected "
           f"{count}; missing {sorted(set(expected) - set(bodies))[:5]}")


class Tmpfs:
    """A small file system of its own, so that it can be filled up."""

    def __init__(self, path, size):
        os.makedirs(path)
        self.path = path
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none",
                                                path], capture_output=True).returncode != 0:
            raise Skip("a file system of a fixed size cannot be mounted here")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.path], capture_output=True)

    def fill(self):
        with open(os.path.join(self.path, "ballast"), "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                pass

    def free(self):
        os.remove(os.path.join(self.path, "ballast"))


# --- the disk ------------------------------------------------------------------------------------

def check_full_disk_of_the_server_is_waited_for(world):
    with Tmpfs(world.file("disk"), "64m") as disk:
        server = e2e.Server(world, "store: {disk_free_min: 8MiB}\n",
                            data_dir=world.file("disk", "data")).start().wait_ready()
        server.make_logstore()
        agent = e2e.Agent(world, follow(world, server)).start()
        write_lines(world, 0, 1000)
        expect_lines(server, 1000)
        disk.fill()
        write_lines(world, 1000, 2000)
        wait_for(lambda: "asks to wait" in agent.log(), "the agent says so",
                 alive=[agent])
        agent.kill()
        agent.start().wait_ready()
        write_lines(world, 3000, 1000)
        disk.free()
        expect_lines(server, 4000)
        expect(agent.stop() == 0 and server.stop() == 0, "a program did not stop in order")


def check_full_disk_of_the_agent_costs_no_line(world):
    with Tmpfs(world.file("disk"), "16m") as disk:
        server = e2e.Server(world).start().wait_ready().make_logstore()
        agent = e2e.Agent(world, follow(world, server))
        agent.data_dir = world.file("disk", "agent")
        agent.configure(follow(world, server))
        agent.start().wait_ready()
        write_lines(world, 0, 500)
        expect_lines(server, 500)
        disk.fill()
        write_lines(world, 500, 500)
        expect_lines(server, 1000)
        wait_for(lambda: agent.metric("kelp_tail_checkpoint_errors_total") > 0,
                 "the failed write is counted", alive=[agent])
        agent.kill()  # what was sent comes again, and the server knows it
        disk.free()
        agent.start().wait_ready()
        write_lines(world, 1000, 500)
        expect_lines(server, 1500)
        expect(agent.stop() == 0, "the agent did not stop in order")


# --- time ----------------------------------------------------------------------------------------

def fake_time(program, path):
    """`program` sees the wall clock shifted by what `path` says; monotonic time stays true."""
    library = next((name for name in LIBFAKETIME if os.path.exists(name)), None)
    if library is None:
        raise Skip("libfaketime is not installed")
    program.environment = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": path,
                           "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}


def check_clock_set_back_and_forth(world):
    clock = e2e.write(world.file("clock"), "+0\n")
    server = e2e.Server(world)
    fake_time(server, clock)
    server.start().wait_ready().make_logstore()
    agent = e2e.Agent(world, follow(world, server))
    fake_time(agent, clock)
    agent.start().wait_ready()
    written = 0
    for shift in ("-2h", "+3h", "-20m", "+0"):
        write_lines(world, written, 300)
        written += 300
        e2e.write(clock, shift + "\n")
        write_lines(world, written, 300)
        written += 300
        os.rename(world.file("logs", "app.log"), world.file("logs", f"app.log.{written}"))
        write_lines(world, written, 100)
        written += 100
        agent.kill()
        agent.start().wait_ready()
    expect_lines(server, written)
    expect(agent.stop() == 0 and server.stop() == 0, "a program did not stop in order")


def check_suspended_programs(world):
    server = e2e.Server(world).start().wait_ready().make_logstore()
    agent = e2e.Agent(world, follow(world, server)).start().wait_ready()
    written = 0
    for victim in (agent, server, agent):
        write_lines(world, written, 200)
        victim.signal(signal.SIGSTOP)
        # While it sleeps, more happens to its files than a rotation.
        for _ in range(3):
            write_lines(world, written + 200, 200)
            written += 200
            os.rename(world.file("logs", "app.log"), world.file("logs", f"app.log.{written:06d}"))
        time.sleep(2)
        victim.signal(signal.SIGCONT)
        written += 200
    expect_lines(server, written)
    expect(agent.stop() == 0 and server.stop() == 0, "a program did not stop in order")


# --- limits --------------------------------------------------------------------------------------

@contextlib.contextmanager
def no_inotify_instances(world, server, agent):
    """Starts the agent as a user of whose inotify instances none is left, until the end of the block."""
    if os.geteuid() != 0:
        raise Skip("needs root, to be another user")
    os.makedirs(agent.data_dir)
    for path in (world.path, world.file("logs"), agent.data_dir, agent.config,
                 server.data_dir, os.path.join(server.data_dir, "agent.token")):
        os.chown(path, NOBODY, NOBODY)
    holder = subprocess.Popen(["/usr/bin/python3", "-c", INOTIFY_HOLDER], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, user=NOBODY)
    try:
        holder.stdout.readline()
        agent.user = NOBODY
        agent.start().wait_ready()
        yield
    finally:
        holder.stdin.close()
        holder.wait()


def check_exhausted_inotify_instances(world):
    server = e2e.Server(world).start().wait_ready().make_logstore()
    agent = e2e.Agent(world, follow(world, server))
    with no_inotify_instances(world, server, agent):
        write_lines(world, 0, 500)
        expect_lines(server, 500)
        os.rename(world.file("logs", "app.log"), world.file("logs", "app.log.1"))
        write_lines(world, 500, 500)
        expect_lines(server, 1000)
        expect_in("scanning", agent.log(), "the agent says that it scans")
    expect(agent.stop() == 0, "the agent did not stop in order")


def check_few_descriptors(world):
    server = e2e.Server(world).start().wait_ready().make_logstore()
    agent = e2e.Agent(world, follow(world, server))
    agent.limits = {resource.RLIMIT_NOFILE: 64}
    for n in range(200):
        write_lines(world, n * 5, 5, f"app-{n}.log")
    agent.start().wait_ready()
    expect_lines(server, 1000)
    for n in range(200):
        write_lines(world, 1000 + n * 5, 5, f"app-{n}.log")
    expect_lines(server, 2000)
    expect(re.search(r"descriptor|open files|EMFILE", agent.log()), f"nothing said of the limit:\n"
           f"{agent.log()}")
    expect(agent.stop() == 0, "the agent did not stop in order")


def check_few_descriptors_while_the_output_is_away(world):
    """Files that wait must not take the descriptor that the output needs to get through."""
    server = e2e.Server(world).start().wait_ready().make_logstore()
    proxy = FaultProxy(server.port)
    proxy.mode = "refuse"
    agent = e2e.Agent(world, follow(world, server).replace(server.url, proxy.url))
    agent.limits = {resource.RLIMIT_NOFILE: 64}
    for n in range(200):
        write_lines(world, n * 5, 5, f"app-{n}.log")
    agent.start().wait_ready()
    wait_for(lambda: agent.metric("kelp_output_retries_total") > 0, "it is tried", alive=[agent])
    for n in range(200):
        path = world.file("logs", f"app-{n}.log")
        os.rename(path, path + ".1")
        write_lines(world, 1000 + n * 5, 5, f"app-{n}.log")
    proxy.mode = "pass"
    expect_lines(server, 2000)
    expect_in("ulimit", agent.log(), "the message names the limit")
    expect(agent.stop() == 0, "the agent did not stop in order")


if __name__ == "__main__":
    e2e.main(globals())
