"""A TCP proxy in front of a server that refuses, stalls, holds, answers for it, and spoils answers."""
import random
import select
import socket
import threading
import time

MODES = ["pass"] * 9 + ["refuse", "stall", "unavailable", "too_many", "stranger", "lose_answer",
                        "half_answer", "garbage"]
MODE_SECONDS_MAX = 2.0
STALL_SECONDS = 3.0
HOLD_POLL_SECONDS = 0.05
ANSWERS = {
    "unavailable": b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
                   b"Content-Length: 0\r\nConnection: close\r\n\r\n",
    "too_many": b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    # Somebody who takes every request and knows nothing of it, as sign-in pages of networks do.
    "stranger": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n"
                b"Connection: close\r\n\r\n<html></html>",
}
GARBAGE_BYTES_MAX = 4096


class FaultProxy:
    """Listens on a port of its own; `mode` says what happens to what comes in: "pass", "hold"
    (nothing passes until the mode changes), or one of MODES. Without a seed only the test changes it.
    """

    def __init__(self, target_port, seed=None):
        self.target_port = target_port
        self.chance = random.Random(seed)
        self.mode = "pass"
        self.faults = 0
        self.ending = seed is None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self.accept, daemon=True),
                        threading.Thread(target=self.change_modes, daemon=True)]
        for thread in self.threads:
            thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def heal(self):
        """From now on everything passes."""
        self.ending = True
        self.mode = "pass"

    def change_modes(self):
        while not self.ending:
            time.sleep(self.chance.random() * MODE_SECONDS_MAX)
            if not self.ending:
                self.mode = self.chance.choice(MODES)

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client:
            try:
                with socket.create_connection(("127.0.0.1", self.target_port)) as server:
                    self.relay(client, server)
            except OSError:
                pass  # Either end died: that is what this is for.

    def relay(self, client, server):
        while True:
            readable, _, _ = select.select([client, server], [], [], 0.2)
            while self.mode == "hold":
                time.sleep(HOLD_POLL_SECONDS)
            mode = self.mode
            if mode != "pass" and readable:
                self.faults += 1
                if mode == "stall":
                    time.sleep(self.chance.random() * STALL_SECONDS)
                elif mode == "lose_answer":
                    # The request gets through and has its effect; nobody hears of it.
                    request = client.recv(1 << 20) if client in readable else b""
                    if not request:
                        return
                    server.sendall(request)
                    continue
                elif mode in ("half_answer", "garbage"):
                    if self.spoil_answer(mode, client, server, readable):
                        return
                    continue
                elif mode in ANSWERS and client in readable:
                    client.recv(1 << 20)
                    client.sendall(ANSWERS[mode])
                    return
                else:
                    return
            if not all(pass_on(end, server if end is client else client) for end in readable):
                return

    def spoil_answer(self, mode, client, server, readable):
        """The request had its effect. Whether that was the end of the connection."""
        if server not in readable:
            return not pass_on(client, server)
        answer = server.recv(1 << 20)
        half = answer[:len(answer) // 2]
        garbage = self.chance.randbytes(self.chance.randrange(1, GARBAGE_BYTES_MAX))
        client.sendall(half if mode == "half_answer" else garbage)
        return True


def pass_on(sender, receiver):
    """False at the end of what is sent."""
    data = sender.recv(1 << 20)
    if data:
        receiver.sendall(data)
    return bool(data)
