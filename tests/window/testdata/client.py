"""Clients of http.client, each a thread with a connection that it uses again, with
pauses of 0.2 to 1.5 s. http.client does not look for FIN before that.

python3 client.py HOST PORT CLIENTS
"""

import http.client
import json
import random
import socket
import sys
import threading
import time

host, port, clients = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
body = b"x" * 512
counts = dict(connections=0, requests=0, answered=0, lost=0, refused=0, losses={}, failed=0)
lock = threading.Lock()
waiting = clients  # that have no answer yet
over = threading.Event()


class Connection(http.client.HTTPConnection):
    def connect(self):
        super().connect()
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with lock:
            counts["connections"] += 1


def post(connection, name):
    """Returns what a loss looks like, or None."""
    try:
        connection.request("POST", "/?name=%s" % name, body)
        response = connection.getresponse()
        text = response.read()
    except (OSError, http.client.HTTPException) as e:
        connection.close()
        return type(e).__name__
    if response.status != 200 or text != b"hello " + name.encode():
        return "status %d, or the body of another response" % response.status
    return None


def client(id):
    global waiting
    connection = Connection(host, port, timeout=20)
    n = 0
    # What is left open at the end would have been used again, with what comes of
    # that, so it is.
    while not over.is_set() or connection.sock is not None:
        last = over.is_set()
        loss = post(connection, "c%dr%d" % (id, n))
        with lock:
            if loss == "ConnectionRefusedError":
                counts["refused"] += 1
            else:
                counts["requests"] += 1
                if loss is None:
                    counts["answered"] += 1
                else:
                    counts["lost"] += 1
                    counts["losses"][loss] = counts["losses"].get(loss, 0) + 1
            if loss is None and n == 0:
                waiting -= 1
                if waiting == 0:
                    print("under way", flush=True)
            if loss is not None and not counts["failed"]:
                counts["failed"] = int(1000 * time.time())
        if last or loss == "ConnectionRefusedError":
            break  # the server has gone
        n += 1
        over.wait(random.uniform(0.2, 1.5))
    connection.close()


threads = [threading.Thread(target=client, args=(id,)) for id in range(clients)]
for thread in threads:
    thread.start()
sys.stdin.read()
over.set()
for thread in threads:
    thread.join()
print(json.dumps(counts))
