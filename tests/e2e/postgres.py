"""A database as people use one: PostgreSQL in a container, a process that serves from it, migrations, seeds and dumps in
hooks, and two worktrees of one repository at once. The image is made of Debian's own packages, once: it stays in the
engine and in build/cache."""

import hashlib
import inspect
import os
import shutil
import subprocess
import tempfile
import urllib.request

from harness import ROOT, Failure, UnixConnection, check, equal, wait_until
from scenarios import scenario



def codename():
    """Of this machine's release: its pg_dump refuses a server that is newer than itself."""
    with open("/etc/os-release", encoding="utf-8") as release:
        fields = dict(line.strip().split("=", 1) for line in release if "=" in line)
    return fields.get("VERSION_CODENAME", "stable").strip('"')


def mirror():
    listed = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)"], capture_output=True, text=True,
                            check=False).stdout.split("\n")
    return [line.split()[0] for line in listed if line.endswith(" " + codename())][:1]


def build_tar():
    root = tempfile.mkdtemp(prefix="sdpg-", dir="/tmp")
    try:
        done = subprocess.run(["debootstrap", "--variant=minbase", "--include=postgresql", codename(), root] + mirror(),
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=900, check=False)
        if done.returncode:
            raise Failure(f"cannot make the image of PostgreSQL: {done.stdout[-2000:].decode()}")
        for waste in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man"):
            shutil.rmtree(os.path.join(root, waste), ignore_errors=True)
        os.makedirs(os.path.dirname(CACHE), exist_ok=True)
        part = f"{CACHE}.{os.getpid()}"
        subprocess.run(["tar", "-C", root, "--exclude=./proc/*", "--exclude=./sys/*", "--exclude=./dev/*", "-cf", part, "."],
                       check=True)
        os.rename(part, CACHE)
    finally:
        subprocess.run(["umount", "-q", "-R", os.path.join(root, "proc")], capture_output=True, check=False)
        shutil.rmtree(root, ignore_errors=True)


def made_of():
    """A hash of what goes into the image: the release, the version of its server, and how it is put together."""
    version = subprocess.run(["apt-cache", "show", "--no-all-versions", "postgresql"], capture_output=True, check=False).stdout
    return hashlib.sha256(b"\n".join([codename().encode(), version, inspect.getsource(build_tar).encode()])).hexdigest()[:12]


IMAGE = f"stackd-test/postgres:{made_of()}"
CACHE = os.path.join(ROOT, f"build/cache/postgres-{made_of()}.tar")


def ensure_image(engine):
    if any(IMAGE in (image["RepoTags"] or []) for image in engine.call("GET", "/images/json")):
        return
    if not os.path.exists(CACHE):
        build_tar()
    name, tag = IMAGE.split(":")
    connection = UnixConnection(engine.socket, timeout=300)
    with open(CACHE, "rb") as tar:
        connection.request("POST", f"/v1.41/images/create?fromSrc=-&repo={name}&tag={tag}", tar,
                           {"Content-Type": "application/x-tar", "Content-Length": str(os.path.getsize(CACHE))})
        answer = connection.getresponse()
        text = answer.read()
    connection.close()
    if answer.status != 200:
        raise Failure(f"cannot import {IMAGE}: {answer.status} {text}")


STACK = f"""
services:
  db:
    image: {IMAGE}
    init: true
    user: postgres
    command:
      - sh
      - -c
      - |
        PATH=$$(echo /usr/lib/postgresql/*/bin):$$PATH
        test -s /data/PG_VERSION || initdb -D /data -A trust -U app >/dev/null
        echo 'host all all all trust' > /data/pg_hba.conf
        exec postgres -D /data -c listen_addresses='*' -c unix_socket_directories= -c fsync=off
    volumes: ["data:/data"]
    ports: ["5432"]
    stop_signal: SIGINT
    pre_start: [{{command: chown postgres /data, user: root}}]
    healthcheck: {{test: ["CMD-SHELL", "pg_isready -q -h 127.0.0.1 -U app"], interval: 30s}}
volumes: {{data: }}
owned:
  api:
    cmd: exec python3 server.py
    port: {{env: PORT}}
    depends_on: [db]
    ready_when: {{http_get: /up, timeout: 30s}}
env:
  DATABASE_URL: postgresql://app@127.0.0.1:${{services.db.host_port}}/postgres
env_groups:
  seed:
    extends: stack
    env: {{WHO: "seeded-by-${{worktree.name}}"}}
lifecycle:
  after_up:
    - psql "$DATABASE_URL" -q -v ON_ERROR_STOP=1 -f schema.sql
    - cmd: psql "$DATABASE_URL" -q -v ON_ERROR_STOP=1 -c "insert into notes values ('$WHO')"
      env_group: seed
      run: once
  before_down:
    - pg_dump "$DATABASE_URL" > dump.sql
  after_down: [rm -rf scratch]
"""
SERVER = """
import http.server, os, subprocess
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        query = "select 1" if self.path == "/up" else "select text from notes order by 1"
        done = subprocess.run(["psql", os.environ["DATABASE_URL"], "-Atc", query], capture_output=True)
        self.send_response(500 if done.returncode else 200)
        self.end_headers()
        self.wfile.write(done.stdout)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
SCHEMA = "create table if not exists notes (text text primary key);\n"


def git(directory, *arguments):
    subprocess.run(["git", "-C", directory, "-c", "user.name=e2e", "-c", "user.email=e2e@localhost", *arguments],
                   check=True, capture_output=True)


def notes(world, directory):
    service = {s["name"]: s for s in world.status(directory=directory, project=False)["services"]}["api"]
    with urllib.request.urlopen(f"http://127.0.0.1:{service['ports'][0]['host_port']}/", timeout=20) as answer:
        return answer.read().decode().split()


def database_url(world, directory):
    lines = world.ctl("env", directory=directory, project=False).expect(0).out.splitlines()
    return next(line for line in lines if "DATABASE_URL=" in line)


@scenario("PostgreSQL: migration and seed in after_up, a process that serves from it, a dump in before_down; two worktrees "
          "at once, each with its own database and ports")
def two_worktrees(world):
    for program in ("psql", "pg_dump", "git", "debootstrap"):
        check(shutil.which(program), f"{program} is not installed")
    ensure_image(world.engine)
    first, second = world.project, world.project + "b"
    for name, text in (("stackd.yaml", STACK), ("server.py", SERVER), ("schema.sql", SCHEMA), (".gitignore", "dump.sql\nscratch\n")):
        world.file(os.path.join(first, name), text)
    git(world.path(first), "init", "-q")
    git(world.path(first), "add", "-A")
    git(world.path(first), "commit", "-qm", "one")
    git(world.path(first), "worktree", "add", "-q", world.path(second))
    try:
        for directory in (first, second):
            world.file(os.path.join(directory, "scratch/file"), "")
            world.ctl("up", directory=directory, project=False, limit=180).expect(0)
        check(database_url(world, first) != database_url(world, second), "both have the same database")
        equal(notes(world, first), [f"seeded-by-{first}"], "the first one's notes")
        equal(notes(world, second), [f"seeded-by-{second}"], "the second one's notes")

        world.ctl("down", directory=first, project=False).expect(0)
        check(f"seeded-by-{first}" in world.read(os.path.join(first, "dump.sql")), "the dump")
        check(not os.path.exists(world.path(first, "scratch")), "after_down did not clean up")
        check(os.path.exists(world.path(second, "scratch")), "the other worktree was cleaned up")
        equal(notes(world, second), [f"seeded-by-{second}"], "the second one's notes while the first is down")

        world.ctl("up", directory=first, project=False, limit=120).expect(0)
        equal(notes(world, first), [f"seeded-by-{first}"], "X13: the volume was kept, and the seed ran once")
    finally:
        for directory in (first, second):
            world.ctl("down", "-v", directory=directory, project=False)
    wait_until(lambda: not world.processes(), "the end of all processes", limit=10)
    for project in (first, second):
        equal(world.engine.containers(project) + world.engine.volumes(project), [], f"what is left of {project}")
