"""A small service. WITHOUT_DEPENDENCY says what its /health does while Redis or Postgres is away: 503, 500 or block.
/run/debug misleads it as it does its bigger siblings: error, unavailable, slow, hang, crash; and more: half (every second
answer is a 500), down (200, and the body says so), stuck (its own loop stands still), eat (all memory that there is).
BOOT_SECONDS pass before it listens; LIVES_SECONDS after that it crashes."""

import itertools
import json
import os
import signal
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HABIT = os.environ.get("WITHOUT_DEPENDENCY", "")
REDIS = os.environ.get("REDIS_HOST")
POSTGRES = os.environ.get("POSTGRES_HOST")
CONTROL = "/run/debug"
BOOT_SECONDS = float(os.environ.get("BOOT_SECONDS", "0"))
LIVES_SECONDS = os.environ.get("LIVES_SECONDS", "")
ASKED = itertools.count()


ADDRESSES = {}


def keep_resolving(host):
    """A name that is away may take seconds to be refused: whoever asks us must not wait for that."""
    while True:
        try:
            ADDRESSES[host] = socket.gethostbyname(host)
        except OSError:
            pass
        time.sleep(0.5)


def converse(host, port, question, answers):
    if host not in ADDRESSES:
        raise OSError(f"{host} is not known")
    with socket.create_connection((ADDRESSES[host], port), timeout=0.5) as connection:
        connection.sendall(question)
        if connection.recv(1) not in answers:
            raise OSError(f"{host} talks nonsense")


def away():
    """The dependency that does not answer, with the reason; None: all do."""
    try:
        if REDIS:
            converse(REDIS, 6379, b"PING\r\n", b"+")
        if POSTGRES:
            # An SSLRequest: the shortest question that a server of Postgres answers without a login.
            converse(POSTGRES, 5432, struct.pack("!ii", 8, 80877103), b"NS")
    except OSError as error:
        return str(error)
    return None


def crash():
    os._exit(3)


def mode():
    try:
        with open(CONTROL, encoding="ascii") as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        told = mode()
        if told == "crash":
            crash()
        if told == "eat":
            eaten = []
            while True:
                eaten.append(b"x" * 10_000_000)
        if told == "hang":
            time.sleep(86_400)
        if told == "slow":
            time.sleep(0.8)
        if self.path != "/health":
            return self.answer(404, {"error": "not found"})
        if told == "half":
            told = "error" if next(ASKED) % 2 else ""
        if told in ("error", "unavailable"):
            return self.answer(500 if told == "error" else 503, {"status": "error"})
        if told == "down":
            return self.answer(200, {"status": "down"})
        reason = away() if HABIT else None
        while reason and HABIT == "block":
            time.sleep(0.2)
            reason = away()
        if reason:
            return self.answer(int(HABIT), {"status": "error", "error": reason})
        self.answer(200, {"status": "ok"})

    def answer(self, code, body):
        text = json.dumps(body).encode()
        try:
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
        except OSError:
            pass

    def log_message(self, form, *words):
        print(f"{time.time():.3f} {self.client_address[0]} {form % words}", flush=True)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def process_request(self, request, client_address):
        # In the one thread that accepts: whoever connects from now on waits in the kernel's queue.
        if mode() == "stuck":
            time.sleep(86_400)
        super().process_request(request, client_address)


if os.path.exists(CONTROL):
    os.remove(CONTROL)
for name in (REDIS, POSTGRES):
    if name:
        threading.Thread(target=keep_resolving, args=(name,), daemon=True).start()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
time.sleep(BOOT_SECONDS)
if LIVES_SECONDS:
    if float(LIVES_SECONDS) <= 0:
        crash()
    threading.Timer(float(LIVES_SECONDS), crash).start()
Server(("", 8080), Handler).serve_forever()
