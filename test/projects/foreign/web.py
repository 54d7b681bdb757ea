"""A web service as anybody writes one. The file /run/debug tells it to misbehave until it starts anew:
error (500), unavailable (503), not-ready, slow (adds 800 ms), hang (accepts and never answers), crash."""

import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STARTED = time.monotonic()
PORT = int(os.environ.get("PORT", "8080"))
PATH = os.environ.get("HEALTH_PATH", "/health")
BOOT_SECONDS = float(os.environ.get("BOOT_SECONDS", "0"))
BODIES = {
    "status": ({"status": "ok"}, {"status": "error"}),
    "ready": ({"ready": True, "index": "loaded"}, {"ready": False, "index": "loading"}),
    "checks": (
        {"healthy": True, "checks": {"disk": "pass", "queue": True, "models": {"status": "up"}}},
        {"healthy": False, "checks": {"disk": "pass", "queue": False, "models": {"status": "down"}}},
    ),
}
WELL, ILL = BODIES[os.environ.get("BODY", "status")]
CONTROL = "/run/debug"


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
            os._exit(3)
        if told == "hang":
            time.sleep(86_400)
        if told == "slow":
            time.sleep(0.8)
        if self.path == "/":
            return self.answer(200, {"service": os.environ.get("HOSTNAME")})
        if self.path != PATH:
            return self.answer(404, {"error": "no such page"})
        if told == "error":
            return self.answer(500, {"error": "internal server error"})
        booting = time.monotonic() - STARTED < BOOT_SECONDS
        if booting or told == "unavailable":
            return self.answer(503, ILL)
        return self.answer(200, ILL if told == "not-ready" else WELL)

    def answer(self, code, body):
        text = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, form, *words):
        # What it was asked and when, for whoever wants to know it without asking anybody's monitor.
        print(f"{time.time():.3f} {self.client_address[0]} {form % words}", flush=True)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


if os.path.exists(CONTROL):
    os.remove(CONTROL)
if os.environ.get("SIGTERM") != "ignored":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
else:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
Server(("", PORT), Handler).serve_forever()
