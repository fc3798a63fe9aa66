"""What the end-to-end tests share: real programs in a directory of their own, and calls to them."""
import contextlib
import http.client
import inspect
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse

# Sanitizer builds on a busy machine are slow; nothing here waits that long unless it fails.
WAIT_SECONDS = 60
PROJECT = "e2e"
LOGSTORE = "logs"


class Failure(Exception):
    """What was expected did not happen."""


class Skip(Exception):
    """The machine cannot do what the test needs."""


def expect(condition, what):
    if not condition:
        raise Failure(what)


def expect_in(part, text, what):
    expect(part in text, f"{what}: no {part!r} in:\n{text.rstrip()}")


def wait_for(condition, what, seconds=WAIT_SECONDS, pause=0.02, alive=()):
    """The first true value of `condition()`; fails when a program of `alive` ends meanwhile."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        for program in alive:
            program.check_alive()
        if time.monotonic() > end:
            raise Failure(f"{what} did not happen within {seconds} s" +
                          "".join(f"\n{program.name} said:\n{program.log()[-3000:]}"
                                  for program in alive))
        time.sleep(pause)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    return path


def append(path, text):
    with open(path, "a") as file:
        file.write(text)


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def json_lines(path):
    """The whole lines of a file of JSON objects."""
    text = read(path)
    return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]


def find_bin_dir(directories):
    """The first of DIR:DIR:... that holds the programs."""
    for directory in directories.split(":"):
        if os.access(os.path.join(directory, "kelp-agent"), os.X_OK):
            return os.path.abspath(directory)
    raise SystemExit(f"there is no kelp-agent in {directories}; build it first")


class Program:
    """A program in the foreground, started and ended as often as a test likes."""

    def __init__(self, name, arguments, log_path):
        self.name = name
        self.arguments = arguments
        self.log_path = log_path
        self.process = None
        self.environment = {}  # more of it
        self.user = None  # another than the test's
        self.limits = {}  # resource.RLIMIT_...: soft and hard limit

    def start(self):
        with open(self.log_path, "a") as log:
            self.process = subprocess.Popen(
                self.arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=self.user,
                env={**os.environ, **self.environment}, preexec_fn=self.set_limits)
        return self

    def set_limits(self):
        for what, limit in self.limits.items():
            resource.setrlimit(what, (limit, limit))

    def running(self):
        return self.process is not None and self.process.poll() is None

    def check_alive(self):
        if not self.running():
            code = self.process.poll() if self.process else "never started"
            raise Failure(f"{self.name} ended by itself ({code}):\n{self.log()[-5000:]}")

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """SIGKILL; fails when it had ended before."""
        self.check_alive()
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=WAIT_SECONDS):
        """TERM; the exit code."""
        if self.running():
            self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure(f"{self.name} did not end within {seconds} s of TERM") from None

    def wait(self, seconds=WAIT_SECONDS):
        """The exit code of a program that ends by itself."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} did not end by itself; it said:\n{self.log()}") from None

    def end(self):
        if self.running():
            self.process.kill()
            self.process.wait()

    def log(self):
        return read(self.log_path)


class Api:
    """Calls to one program's HTTP API."""

    def __init__(self, port, token=""):
        self.port = port
        self.token = token

    def call(self, method, path, body=None, headers=None, timeout=WAIT_SECONDS):
        """Status, headers and body of the answer; None when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        all_headers = {"Authorization": "Bearer " + self.token} if self.token else {}
        all_headers.update(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        try:
            connection.request(method, path, body, all_headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def get(self, path):
        """The body of a 200 answer; None otherwise."""
        answer = self.call("GET", path)
        return answer[2] if answer and answer[0] == 200 else None


class Server(Program):
    def __init__(self, world, extra="", data_dir=None):
        self.port = free_port()
        self.data_dir = data_dir or os.path.join(world.path, "server-data")
        config = write(os.path.join(world.path, "server.yaml"),
                       f"data_dir: {self.data_dir}\nhttp: {{listen: '127.0.0.1:{self.port}'}}\n" +
                       extra)
        super().__init__("kelp-server", [world.program("kelp-server"), "-c", config],
                         os.path.join(world.path, "server.log"))
        self.api = Api(self.port)
        self.base = f"/api/v1/projects/{PROJECT}/logstores/{LOGSTORE}"
        world.programs.append(self)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def wait_ready(self, seconds=WAIT_SECONDS):
        wait_for(lambda: self.api.get("/readyz") is not None, "the server is ready", seconds,
                 alive=[self])
        self.api.token = read(os.path.join(self.data_dir, "admin.token")).strip()
        return self

    def make_logstore(self):
        for path, name in (("/api/v1/projects", PROJECT),
                           (f"/api/v1/projects/{PROJECT}/logstores", LOGSTORE)):
            answer = self.api.call("POST", path, {"name": name})
            expect(answer and answer[0] in (200, 201, 409), f"POST {path} gives {answer}")
        return self

    def search(self, query="*", limit=100, cursor=None, since="-1d", **more):
        parameters = {"q": query, "from": since, "to": "+1d", "limit": limit, **more}
        if cursor:
            parameters["cursor"] = cursor
        return self.api.call("GET", f"{self.base}/search?{urllib.parse.urlencode(parameters)}")

    def rows(self, query="*", limit=100):
        """The rows of a search's first page; [] while the server does not answer."""
        answer = self.search(query, limit)
        return json.loads(answer[2])["rows"] if answer and answer[0] == 200 else []

    def all_rows(self, query="*"):
        """Every row, page by page."""
        cursor = None
        while True:
            answer = self.search(query, 1000, cursor)
            expect(answer and answer[0] == 200, f"search gives {answer and answer[2][:500]}")
            page = json.loads(answer[2])
            expect(page["partial"] is None, f"the search is not complete: {page['partial']}")
            yield from page["rows"]
            cursor = page["cursor"]
            if not cursor:
                return

    def total(self, query="*"):
        """How many rows a histogram counts; None while the server does not answer."""
        parameters = urllib.parse.urlencode({"q": query, "from": "-1d", "to": "+1d", "buckets": 1})
        answer = self.api.call("GET", f"{self.base}/histogram?{parameters}")
        return json.loads(answer[2])["total"] if answer and answer[0] == 200 else None

    def ingest(self, lines, content_type="application/x-ndjson"):
        return self.api.call("POST", self.base + "/rows", lines, {"Content-Type": content_type})


class Agent(Program):
    """`pipelines` is the YAML below `pipelines:`, or "" for a test that writes its own file."""

    def __init__(self, world, pipelines, extra="", name="agent"):
        self.port = free_port()
        self.data_dir = os.path.join(world.path, name + "-data")
        self.config = os.path.join(world.path, name + ".yaml")
        self.extra = extra
        self.configure(pipelines)
        super().__init__("kelp-agent", [world.program("kelp-agent"), "-c", self.config],
                         os.path.join(world.path, name + ".log"))
        self.api = Api(self.port)
        world.programs.append(self)

    def configure(self, pipelines):
        text = (f"data_dir: {self.data_dir}\nhttp: {{listen: '127.0.0.1:{self.port}'}}\n" +
                self.extra + "pipelines:\n" + pipelines)
        # As editors do it: the file is never seen half-written.
        write(self.config + ".new", text)
        os.rename(self.config + ".new", self.config)

    def wait_ready(self):
        wait_for(lambda: self.api.get("/readyz") is not None, "the agent is ready", alive=[self])
        return self

    def metric(self, name, **labels):
        """The sum of the values with these labels; 0 when there is none."""
        total = 0.0
        for line in (self.api.get("/metrics") or "").splitlines():
            if line.split("{")[0].split(" ")[0] != name:
                continue
            if all(f'{key}="{value}"' in line for key, value in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        return total


def kelp_output(server):
    """The output of a pipeline that delivers to `server`, as YAML."""
    return (f"{{type: kelp, url: '{server.url}', project: {PROJECT}, logstore: {LOGSTORE}, "
            f"token_file: '{server.data_dir}/agent.token'}}")


class World:
    """A directory, the programs in it, and their end."""

    def __init__(self, bin_dir, keep=False):
        self.bin_dir = bin_dir
        self.keep = keep
        self.path = tempfile.mkdtemp(prefix="kelp-e2e-")
        self.programs = []

    def program(self, name):
        path = os.path.join(self.bin_dir, name)
        expect(os.access(path, os.X_OK), f"{path} is missing; build it first")
        return path

    def run(self, name, *arguments, seconds=WAIT_SECONDS, environment=None, stdin=""):
        """Exit code, standard output and standard error of a program that ends by itself."""
        try:
            done = subprocess.run([self.program(name), *arguments], capture_output=True, text=True,
                                  timeout=seconds, input=stdin,
                                  env={**os.environ, **(environment or {})})
        except subprocess.TimeoutExpired as late:
            raise Failure(f"{name} {' '.join(arguments)} did not end within {seconds} s; it said:\n"
                          f"{late.stdout}\n{late.stderr}") from None
        return done.returncode, done.stdout, done.stderr

    def file(self, *parts):
        return os.path.join(self.path, *parts)

    def close(self):
        for program in self.programs:
            program.end()
        if not self.keep:
            shutil.rmtree(self.path, ignore_errors=True)


@contextlib.contextmanager
def world(bin_dir, keep=False):
    """A World that is kept for a look when the test fails."""
    made = World(bin_dir, keep)
    try:
        yield made
    except Failure:
        made.keep = True
        raise
    finally:
        made.close()


def main(checks):
    """Runs functions named check_*, each in a World of its own: PROGRAM BIN_DIR[:DIR...] [NAME...]."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        raise SystemExit(f"usage: {sys.argv[0]} BIN_DIR [CHECK...]")
    bin_dir, wanted = find_bin_dir(sys.argv[1]), sys.argv[2:]
    functions = {name[len("check_"):]: function for name, function in checks.items()
                 if name.startswith("check_") and inspect.isfunction(function)}
    for name in wanted:
        if name not in functions:
            raise SystemExit(f"there is no check {name}; there are {', '.join(functions)}")
    counts = {"ok": 0, "skipped": 0, "FAILED": 0}
    for name in wanted or functions:
        begin = time.monotonic()
        outcome, why = run_check(functions[name], bin_dir)
        counts[outcome] += 1
        print(f"{outcome:8} {name} ({time.monotonic() - begin:.1f} s){why}", flush=True)
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    raise SystemExit(1 if counts["FAILED"] else 0)


def run_check(function, bin_dir):
    made = None
    try:
        with world(bin_dir) as made:
            function(made)
    except Skip as why:
        return "skipped", f": {why}"
    except Failure as why:
        return "FAILED", f": {why}\n  (kept: {made.path})"
    except Exception:  # A mistake of the test itself must not end the others.
        return "FAILED", ": " + traceback.format_exc()
    return "ok", ""
