"""Readiness over HTTP meets real servers."""

from harness import equal
from scenarios import scenario

SERVER = '''
import http.server, os

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        leads = {"/relative/a": "b", "/relative/up": "../ok", "/root": "/ok", "/host": f"//{self.headers['Host']}/ok", "/query": "?done=1"}
        if self.path in leads:
            self.send_response(302)
            self.send_header("Location", leads[self.path])
        elif self.path == "/picky" and self.headers["Accept"] != "*/*":
            self.send_response(406)
        elif self.path in ("/ok", "/relative/b", "/query?done=1", "/picky"):
            self.send_response(200)
        elif self.path == "/large":
            self.send_response(200)
            for number in range(60):
                self.send_header(f"X-{number}", "x" * 1000)
        else:
            self.send_response(404)
        self.end_headers()

http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
'''


@scenario("L3.4: http_get follows a redirect of any form, says what it accepts, and reads large headers")
def http_get(world):
    world.file("stack/server.py", SERVER)
    for path in ("/ok", "/relative/a", "/relative/up", "/root", "/host", "/query", "/picky", "/large"):
        world.stack(f'owned: {{web: {{cmd: "exec python3 server.py", port: {{env: PORT}}, ready_when: {{http_get: "{path}", timeout: 5s}}}}}}\n')
        world.ctl("up").expect(0)
        equal(world.status()["status"], "up", path)
        world.ctl("down").expect(0)
