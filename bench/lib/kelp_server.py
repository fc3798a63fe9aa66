"""A kelp-server under measurement, and the few calls of its API that cases need."""
import http.client
import json
import os
import urllib.parse

from common import Process, SkipCase, fill, free_port, http_get

PROJECT = "bench"
LOGSTORE = "logs"
_BASE = f"/api/v1/projects/{PROJECT}/logstores/{LOGSTORE}"


class Server(Process):
    def __init__(self, bench, scratch):
        self.port = free_port()
        self.data_dir = os.path.join(scratch, "server")
        config = fill(os.path.join(bench.root, "bench/cases/server.yaml"),
                      os.path.join(scratch, "server.yaml"), state=self.data_dir, port=self.port)
        super().__init__(bench, [bench.program("kelp-server"), "-c", config])
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def start(self):
        """Waits until it answers, and makes the project and the logstore."""
        self.wait_until(lambda: http_get(f"http://127.0.0.1:{self.port}/readyz") is not None,
                        "the server's start", seconds=30)
        self.token = self._read_token("admin.token")
        for path, name in (("/api/v1/projects", PROJECT),
                           (f"/api/v1/projects/{PROJECT}/logstores", LOGSTORE)):
            status, body = self.call("POST", path, {"name": name})
            if status not in (200, 201, 409):
                raise SkipCase(f"POST {path}: {status} {body}")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def agent_token_file(self):
        return os.path.join(self.data_dir, "agent.token")

    def _read_token(self, name):
        with open(os.path.join(self.data_dir, name)) as file:
            return file.read().strip()

    def call(self, method, path, body=None):
        headers = {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"}
        self._connection.request(method, path, json.dumps(body) if body is not None else None,
                                 headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read().decode()

    def search(self, query, limit=1, since="-10m"):
        """The rows that a search finds."""
        parameters = urllib.parse.urlencode({"q": query, "from": since, "limit": limit})
        status, body = self.call("GET", f"{_BASE}/search?{parameters}")
        if status != 200:
            raise SkipCase(f"search {query}: {status} {body}")
        return json.loads(body)["rows"]

    def stored(self):
        """Rows and bytes of the logstore."""
        status, body = self.call("GET", _BASE)
        if status != 200:
            raise SkipCase(f"GET {_BASE}: {status} {body}")
        info = json.loads(body)
        return info["rows"], info["bytes"]
