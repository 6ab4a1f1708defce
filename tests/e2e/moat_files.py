"""A moat.yaml as it is: the worked examples of Moat's page on hooks, with stand-ins for the images and tools that they name."""

import io
import os
import tarfile

from harness import IMAGE, check, equal, wait_until
from own_engine import on_own_engine
from scenarios import scenario

# Each tool says what it was asked, to a file of the image while it is built and to the workspace afterwards.
TOOL = """#!/bin/sh
log=/tools.log; [ ! -e /workspace/t ] || log=/workspace/t/tools.log
echo "$(id -un) $(pwd): ${0##*/} $*" >> $log
case "${0##*/} $*" in
  "npm start" | "python app.py") exec sleep 100000 ;;
  "go build ./...") printf '#!/bin/sh\\nexec sleep 100000\\n' > my-go-service; chmod +x my-go-service ;;
  pg_isready* | mysqladmin* | redis-cli*) echo PONG ;;
  redis-server*) exec sleep 100000 ;;
esac
"""
TOOLS = ("npm", "pip", "python", "go", "git", "apt-get", "pg_isready", "mysqladmin", "redis-cli", "redis-server")


def stand_in(world, *names):
    """Images of these names, made of busybox: on an engine of our own, because somebody may have the real ones on theirs."""
    context = io.BytesIO()
    copies = "".join(f"COPY tool /usr/bin/{tool}\n" for tool in TOOLS)
    dockerfile = (f"FROM {IMAGE}\nLABEL stackd.e2e=stand-in\n{copies}"
                  "RUN chmod 666 /dev/null; touch /tools.log; chmod 666 /tools.log\nCMD [\"sleep\", \"100000\"]\n")
    with tarfile.open(fileobj=context, mode="w") as tar:
        for name, text, mode in (("Dockerfile", dockerfile, 0o644), ("tool", TOOL, 0o755)):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), mode
            tar.addfile(entry, io.BytesIO(text.encode()))
    for name in names:
        world.engine.build(context.getvalue(), name)


def bring_up(world, text):
    world.stack(text, name="moat.yaml")
    return world.ctl("up").expect(0)


def tools(world):
    return [line.split(": ", 1)[1] for line in world.lines("stack/t/tools.log")]


def in_image(world):
    """What the tools were asked while the image was built."""
    image = world.engine.containers(world.project, "main")[0]["Image"]
    return world.engine.run(world.project, ["cat", "/tools.log"], image=image).splitlines()


@scenario("The seed's example: a Node project installs what it needs at every start", daemon=False)
@on_own_engine
def node(world):
    stand_in(world, "node:22-slim")
    said = bring_up(world, """
name: my-node-app
dependencies:
  - node@22
  - git
hooks:
  pre_run: npm install
command: ["npm", "start"]
""")
    check("dependency 'git' is not installed" in said.text, f"a warning for git: {said}")
    wait_until(lambda: len(tools(world)) == 2, "npm start")
    equal(tools(world), ["npm install", "npm start"], "what ran")
    check("/workspace:" in world.lines("stack/t/tools.log")[0], "pre_run works in /workspace")
    world.ctl("restart", "-t", "0").expect(0)
    wait_until(lambda: len(tools(world)) == 4, "npm start again")
    world.ctl("down", "-t", "0").expect(0)
    world.nothing_left()


@scenario("The seed's example: a Python project with system dependencies in the image", daemon=False)
@on_own_engine
def python(world):
    stand_in(world, "python:3.11-slim")
    bring_up(world, """
name: my-python-app
dependencies:
  - python@3.11
hooks:
  post_build_root: apt-get update -qq && apt-get install -y -qq libpq-dev
  pre_run: pip install -r requirements.txt
command: ["python", "app.py"]
""")
    wait_until(lambda: len(tools(world)) == 2, "the app")
    equal(tools(world), ["pip install -r requirements.txt", "python app.py"], "what ran at the start")
    equal(in_image(world), ["root /workspace: apt-get update -qq", "root /workspace: apt-get install -y -qq libpq-dev"],
          "what ran in the build")
    world.ctl("down", "-t", "0", "--rmi", "local").expect(0)
    world.nothing_left()


@scenario("The seed's example: a Go project with tools, built from the workspace before it is run", daemon=False)
@on_own_engine
def go(world):
    stand_in(world, "golang:1.22")
    said = bring_up(world, """
name: my-go-service
dependencies:
  - go@1.22
  - golangci-lint
  - git
hooks:
  post_build: git config --global core.autocrlf input && git config --global pull.rebase true
  pre_run: go build ./...
command: ["./my-go-service"]
""")
    check("'golangci-lint'" in said.text and "'git'" in said.text, f"a warning for each tool: {said}")
    equal(tools(world), ["go build ./..."], "what ran at the start")
    equal([line.split(": ")[1] for line in in_image(world)],
          ["git config --global core.autocrlf input", "git config --global pull.rebase true"], "what ran in the build")
    wait_until(lambda: world.services()["main"]["status"] == "ready", "the service that pre_run built")
    world.ctl("down", "-t", "0", "--rmi", "local").expect(0)


@scenario("The seed's example: multi-step build hooks; its agent: one warning for each thing that is not done", daemon=False)
@on_own_engine
def steps(world):
    stand_in(world, "debian:bookworm-slim", "node:22-slim")
    bring_up(world, """
hooks:
  post_build_root: apt-get update -qq && apt-get install -y -qq curl gnupg
  post_build: git config --global core.autocrlf input && git config --global pull.rebase true
  pre_run: npm install && npm run build
""")
    equal(tools(world), ["npm install", "npm run build"], "what ran at the start")
    equal(len(in_image(world)), 4, "steps of the build")
    world.ctl("down", "-t", "0", "--rmi", "local").expect(0)
    world.file("stack/t/tools.log", "")
    os.chmod(world.path("stack/t/tools.log"), 0o666)
    said = bring_up(world, """
name: my-agent
dependencies:
  - node@22
  - claude-code
  - git
  - gh
grants:
  - anthropic
  - github
hooks:
  post_build_root: apt-get update -qq && apt-get install -y -qq jq
  pre_run: npm install
command: ["npm", "start"]
""")
    for word in ("'claude-code'", "'git'", "'gh'", "grant 'anthropic'", "grant 'github'"):
        equal(said.text.count(word), 1, f"warnings about {word} in {said}")
    world.ctl("down", "-t", "0", "--rmi", "local").expect(0)


@scenario("moat.yaml: databases it depends on are services with credentials that stay the same, told in MOAT_* variables", daemon=False)
@on_own_engine
def services(world):
    stand_in(world, "node:22-slim", "postgres:17", "mysql:9", "redis:7")
    text = """
dependencies: [node@22, postgres@17, mysql@9, redis]
container: {memory: 64, cpus: 1, dns: [10.1.2.3]}
ports: {web: 3000}
env: {NODE_ENV: development}
volumes: [{name: cache, target: /cache}]
services: {postgres: {env: {POSTGRES_DB: myapp}}}
command: [sh, -c, "env > /workspace/t/env; cat /etc/resolv.conf > /workspace/t/dns; exec sleep 100000"]
"""

    def environment():
        bring_up(world, text)
        wait_until(lambda: world.read("stack/t/dns"), "the container's word")
        found = dict(line.split("=", 1) for line in world.lines("stack/t/env"))
        os.unlink(world.path("stack/t/dns"))
        return found

    first = environment()
    check("10.1.2.3" in str(world.engine.inspect(world.engine.containers(world.project, "main")[0]["Id"])["HostConfig"]["Dns"]), "dns")
    limits = world.engine.inspect(world.engine.containers(world.project, "main")[0]["Id"])["HostConfig"]
    equal((limits["Memory"], limits["NanoCpus"]), (64 * 1024 * 1024, 1_000_000_000), "memory and cpus")
    password = first["MOAT_POSTGRES_PASSWORD"]
    equal(first["MOAT_POSTGRES_URL"], f"postgresql://postgres:{password}@postgres:5432/myapp", "MOAT_POSTGRES_URL")
    for name in ("MOAT_MYSQL_URL", "MOAT_REDIS_URL", "MOAT_POSTGRES_HOST", "MOAT_POSTGRES_PORT", "MOAT_POSTGRES_USER", "MOAT_POSTGRES_DB"):
        check(first.get(name), f"{name} is not set")
    equal(first["NODE_ENV"], "development", "the file's own variable")
    postgres = world.engine.inspect(world.engine.containers(world.project, "postgres")[0]["Id"])["Config"]["Env"]
    check(f"POSTGRES_PASSWORD={password}" in postgres and "POSTGRES_DB=myapp" in postgres, "what postgres gets")
    equal({name: s["status"] for name, s in world.services().items()},
          {name: "ready" for name in ("main", "postgres", "mysql", "redis")}, "the services")
    check(password not in world.ctl("--json", "hooks").text + world.ctl("--json", "status").text, "the password is shown")
    world.ctl("down", "-t", "0").expect(0)
    second = environment()
    equal({k: v for k, v in second.items() if k.startswith("MOAT_")}, {k: v for k, v in first.items() if k.startswith("MOAT_")},
          "the credentials at the next up")
    world.ctl("down", "-t", "0", "-v").expect(0)
    world.nothing_left()
