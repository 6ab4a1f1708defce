"""Readiness over HTTP meets real servers."""

import subprocess

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


TLS_SERVER = SERVER.replace("import http.server, os", "import http.server, os, ssl").replace(
    'http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()', '''
server = http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("own.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
''')


@scenario("L3.4: http_get speaks TLS: a certificate of one's own is no obstacle on this machine, a redirect goes on, plain HTTP is no answer")
def https_get(world):
    world.file("stack/server.py", TLS_SERVER)
    pem = world.path("stack", "own.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=own", "-keyout", pem, "-out", pem + ".crt"],
                   check=True, capture_output=True)
    with open(pem, "a", encoding="utf-8") as both, open(pem + ".crt", encoding="utf-8") as certificate:
        both.write(certificate.read())
    text = 'owned: {web: {cmd: "exec python3 server.py", port: {env: PORT}, ready_when: {http_get: "URL", timeout: 5s}}}\n'
    for url in ("https://127.0.0.1:${owned.web.port}/ok", "https://localhost:${owned.web.port}/relative/a", "https://127.0.0.1:${owned.web.port}/host"):
        world.stack(text.replace("URL", url))
        world.ctl("up").expect(0)
        equal(world.status()["status"], "up", url)
        world.ctl("down").expect(0)
    world.stack(text.replace("URL", "http://127.0.0.1:${owned.web.port}/ok").replace("5s", "1s"))
    world.ctl("up").expect(1, "no answer from 127.0.0.1")
    world.ctl("down").expect(0)
    world.stack(text.replace("URL", "ftp://127.0.0.1/ok"))
    world.ctl("validate").expect(2, "http_get", "ftp://127.0.0.1/ok")
