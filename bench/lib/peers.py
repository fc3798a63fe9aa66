"""Runs other programs over the same files, with the configurations in bench/peers/."""
import os
import time

from common import Process, Scratch, SkipCase, fill, free_port, warn

# How each is started; {config} is the filled-in template, {dir} its directory.
COMMANDS = {
    "fluent-bit": ("{program}", "-c", "{config}"),
    "vector": ("{program}", "--quiet", "--config", "{config}"),
    "filebeat": ("{program}", "run", "-c", "{config}", "--path.home", "{dir}", "--path.data",
                 "{dir}/data", "--strict.perms=false"),
    "loongcollector": ("{program}",),
}
NAMES = list(COMMANDS)
# A program that has read everything and then rests so long is done.
QUIET_SECONDS = 2
QUIET_CPU_MS = 40


def template(bench, name, case):
    # many_files is the case raw over more files.
    path = os.path.join(bench.root, "bench/peers", name, {"many_files": "raw"}.get(case, case))
    return path + ".yaml"


def measure(bench, name, case, data, size):
    """CPU milliseconds, wall seconds and peak RSS in MB."""
    source = template(bench, name, case)
    if not os.path.exists(source):
        raise SkipCase(f"bench/peers/{name} has no configuration for this case")
    with Scratch(bench) as scratch:
        state = os.path.join(scratch, "state")
        os.mkdir(state)
        config_dir = scratch
        if name == "loongcollector":
            config_dir = os.path.join(scratch, "conf/continuous_pipeline_config/local")
            os.makedirs(config_dir)
        deep = case in ("cri", "docker_json", "json_body")
        config = fill(source, os.path.join(config_dir, "bench.yaml"), state=state,
                      port=free_port(), data=data, dir=scratch,
                      files=os.path.join(data, "*/app/*.log" if deep else "*.log"))
        command = [part.format(program=os.path.abspath(bench.peers[name]), config=config,
                               dir=scratch) for part in COMMANDS[name]]
        process = Process(bench, command, cwd=scratch)
        try:
            wall_s = wait_until_quiet(process, size)
            cpu_ms, rss_mb = process.cpu_ticks_ms(), process.rss_mb()
        finally:
            process.stop()
    return cpu_ms, wall_s, rss_mb


def wait_until_quiet(process, size):
    """Waits until it has read `size` bytes and rests; the seconds until the rest began."""
    process.wait_until(lambda: process.read_bytes() >= size, f"reading of {size} bytes", pause=0.1)
    quiet_since, cpu = time.monotonic(), process.cpu_ticks_ms()
    while time.monotonic() - quiet_since < QUIET_SECONDS:
        time.sleep(0.1)
        process.check()
        now = process.cpu_ticks_ms()
        if now - cpu > QUIET_CPU_MS:
            quiet_since, cpu = time.monotonic(), now
    return quiet_since - process.begin


def skip(name, case, reason):
    warn(f"{case}: {name}: not measured: {reason}")
