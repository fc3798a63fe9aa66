"""Cases of the embedded store and its search, measured by their owners' own programs.

kelp_store_bench and kelp_query_bench make the rows of docs/bench.md, run one case and print a JSON
object a line with the keys that apply.
"""
import json
import os
import subprocess

from common import Scratch, SkipCase, median

PROGRAMS = {
    "store_ingest": "kelp_store_bench",
    "histogram": "kelp_query_bench",
    "rare_word": "kelp_query_bench",
    "absent_word": "kelp_query_bench",
    "regex_scan": "kelp_query_bench",
    "newest_100": "kelp_query_bench",
}


def run(bench, case):
    program = bench.program(PROGRAMS[case])
    os.makedirs(bench.data_dir, exist_ok=True)
    results = []
    for _ in range(bench.repeat):
        with Scratch(bench) as scratch:
            done = subprocess.run([program, case], cwd=scratch, capture_output=True, text=True)
        if done.returncode != 0:
            raise SkipCase(f"{program} {case} ended with {done.returncode}: {done.stderr[-1000:]}")
        results += [result for result in map(parse_line, done.stdout.splitlines())
                    if result and result.pop("case", case) == case]
    if not results:
        raise SkipCase(f"{program} {case} printed no result")
    yield median(results, "cpu_ms")


def parse_line(line):
    if not line.startswith("{"):
        return None
    result = json.loads(line)
    return {key: value for key, value in result.items() if key not in ("machine", "commit")}


CASES = {name: run for name in PROGRAMS}
