"""Names the machine and the commit that a figure belongs to."""
import datetime
import os
import re
import subprocess


def description():
    """For people: "2 x Intel Xeon ..., 24 GiB"."""
    return f"{os.cpu_count()} x {_cpu_model()}, {_memory_gib()} GiB"


def commit(root):
    """The short hash, with + when the tree has changes; "unknown" outside of git."""
    try:
        out = subprocess.run(["git", "-C", root, "describe", "--always", "--dirty=+"],
                             capture_output=True, text=True, check=True)
        return out.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def results_path(root):
    slug = re.sub(r"[^a-z0-9]+", "-", f"{_cpu_model()}-{os.cpu_count()}cpu".lower()).strip("-")
    date = datetime.date.today().isoformat()
    return os.path.join(root, "bench/results", f"{slug}-{date}.jsonl")


def _cpu_model():
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1]
                return re.sub(r"\((R|TM)\)|@.*$|CPU|Processor", " ", model).strip().replace("  ", " ")
    return "unknown processor"


def _memory_gib():
    with open("/proc/meminfo") as info:
        return round(int(info.readline().split()[1]) / (1 << 20))
