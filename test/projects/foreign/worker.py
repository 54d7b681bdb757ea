"""Takes work from Redis and answers nobody. /run/debug: `hang` stops the work, `crash` ends the process."""

import os
import signal
import socket
import sys
import time
from urllib.parse import urlparse

REDIS = urlparse(os.environ["REDIS_URL"])
CONTROL = "/run/debug"
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
if os.path.exists(CONTROL):
    os.remove(CONTROL)


def count():
    with socket.create_connection((REDIS.hostname, REDIS.port or 6379), timeout=2) as connection:
        connection.sendall(b"INCR worker:done\r\n")
        return connection.recv(100).decode().strip().lstrip(":")


while True:
    told = open(CONTROL, encoding="ascii").read().strip() if os.path.exists(CONTROL) else ""
    if told == "crash":
        sys.exit(3)
    if told != "hang":
        try:
            print(f"{time.time():.3f} done {count()}", flush=True)
        except OSError as error:
            print(f"{time.time():.3f} waiting: {error}", flush=True)
    time.sleep(1)
