"""The engine with somebody in between who writes down what it is asked."""

import os
import re
import select
import socket
import threading
import time

HEAD = re.compile(rb"(?m)^(GET|HEAD|POST|PUT|DELETE) (\S+) HTTP/1\.1\r$")


class WatchedEngine:
    """A socket that leads to the engine's. What passes is not changed; `asked` has (method, path) of each request, which may
    be held up for `delay` seconds."""

    def __init__(self, path, engine):
        self.socket, self.engine = path, engine
        self.asked, self.lock, self.delay = [], threading.Lock(), 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near):
        far = socket.socket(socket.AF_UNIX)
        try:
            far.connect(self.engine)
            ends = {near: far, far: near}
            while ends:
                for ready in select.select(list(ends), [], [])[0]:
                    data = ready.recv(65536)
                    if ready is near and data:
                        self._note(data)
                        time.sleep(self.delay)
                    if data:
                        ends[ready].sendall(data)
                        continue
                    other = ends.pop(ready)
                    other.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        finally:
            near.close()
            far.close()

    def _note(self, data):
        found = [(m.group(1).decode(), m.group(2).decode()) for m in HEAD.finditer(data)]
        with self.lock:
            self.asked += found

    def since(self, begin=0):
        """The requests from number `begin` on: "GET /containers/json", without version and query."""
        with self.lock:
            found = self.asked[begin:]
        return [f"{method} {re.sub('^/v[0-9.]+', '', path.split('?')[0])}" for method, path in found]

    def close(self):
        self.listener.close()
        os.unlink(self.socket)
