"""Cases of the embedded store and of its search alone, without HTTP.

kelp_store_bench makes 5 000 000 rows (src/store/bench_rows.h) and measures their ingest;
kelp_query_bench searches them. Both print a JSON object a line, with the keys that apply.
"""
import json
import os
import shutil
import subprocess

from common import Scratch, SkipCase, median

QUERY_CASES = ("histogram", "rare_word", "absent_word", "regex_scan", "newest_100")


def ingest(bench, case):
    results = []
    for _ in range(bench.repeat):
        with Scratch(bench) as scratch:
            result = run(bench, "kelp_store_bench", case, "--keep", scratch)
            results.append({**result, "cpu_ms": result.pop("cpu_s") * 1000})
    yield median(results, "cpu_ms")


def query(bench, case):
    # The program itself takes the best of several runs.
    yield run(bench, "kelp_query_bench", case, case, "--store", stored_rows(bench))


def stored_rows(bench):
    """The directory with the rows, made once and kept with the other data."""
    path = os.path.join(bench.data_dir, "store-rows")
    if not os.path.exists(path + ".done"):
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        run(bench, "kelp_store_bench", "store_ingest", "--keep", path)
        with open(path + ".done", "w"):
            pass
    return path


def run(bench, name, case, *arguments):
    """What the program prints about `case`."""
    command = [bench.program(name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SkipCase(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-1000:]}")
    for line in done.stdout.splitlines():
        result = json.loads(line) if line.startswith("{") else {}
        # A program of one case alone does not name it.
        if result and result.pop("case", None) == case:
            result.pop("machine", None)
            result.pop("commit", None)
            return result
    raise SkipCase(f"{' '.join(command)} printed nothing about {case}:\n{done.stdout[-1000:]}")


CASES = {"store_ingest": ingest, **{name: query for name in QUERY_CASES}}
