"""Each verb beside that of the real Docker Compose: the same words, the same effect in the engine, the same exit status.
STACKD_E2E_COMPOSE names its program (2.x); without it there is nothing to compare with."""

import os
import re
import shlex
import subprocess

from harness import IMAGE, equal
from scenarios import scenario

COMPOSE = os.environ.get("STACKD_E2E_COMPOSE", "")
FILE = """
services:
  db: {image: IMAGE, init: true, command: ["sh", "-c", "echo db; exec sleep 1000"], stop_grace_period: 1s, volumes: ["data:/data"]}
  cache: {image: IMAGE, init: true, command: sleep 1000, stop_grace_period: 1s, environment: {KEY: value}}
  once: {image: IMAGE, command: ["sh", "-c", "echo once; exit 0"]}
  web: {image: IMAGE, init: true, command: ["sh", "-c", "echo one; echo two; exec sleep 1000"], stop_grace_period: 1s, depends_on: [db, cache], ports: ["80"]}
  extra: {image: IMAGE, init: true, command: sleep 1000, profiles: [more]}
volumes: {data: {}}
""".replace("IMAGE", IMAGE)

# Left out: `up --wait` with a service that ends (Compose fails), and kill, stop, down of a service that is not there (it says
# nothing; here that is exit code 5).
# The words; whether what they print is compared too: "" not, "text" as it is, "lines" sorted, "count" how many lines.
ROWS = (
    ("config --services", "lines"), ("config --volumes", "lines"), ("config --images", "lines"), ("config -q", "text"),
    ("create", ""), ("start", ""), ("up -d", ""), ("up -d", ""), ("ps -q", "count"), ("ps --services", "lines"), ("ps -a -q", "count"),
    ("ps --status exited -q", "count"), ("ls -q", ""), ("images -q", "count"), ("volumes -q", "count"),
    ("exec -T web sh -c 'exit 7'", "text"), ("exec -T -u 1 -w /tmp -e A=1 web sh -c 'id -u; pwd; echo $A'", "text"),
    ("exec -T cache sh -c 'echo $KEY; echo wrong >&2'", "text"), ("exec -T nobody true", ""), ("exec --index 3 -T web true", ""),
    ("run --rm -T web sh -c 'exit 4'", "text"), ("run --rm -T --no-deps -e B=2 --entrypoint echo cache hello", "text"),
    ("logs --no-color --no-log-prefix web", "text"), ("logs --no-log-prefix --tail 1 web", "text"), ("logs once", ""),
    ("port web 80", "port"), ("port web 9999", ""), ("port --index 2 web 80", ""),
    ("pause web", ""), ("unpause web", ""), ("stop cache", ""), ("start cache", ""), ("restart web", ""), ("restart --no-deps db", ""),
    ("kill -s KILL cache", ""), ("start cache", ""), ("scale web=3", ""), ("ps -q web", "count"), ("up -d --scale web=2", ""),
    ("up -d --no-deps --force-recreate --scale web=2 web", ""), ("up -d --scale web=2", ""), ("up -d --no-recreate --scale web=2", ""), ("--profile more up -d --scale web=2", ""), ("stop extra", ""), ("--profile more rm -f extra", ""),
    ("rm -f -s cache", ""), ("up -d --scale web=1", ""), ("top web", ""), ("cp web:/etc/hostname copied", ""), ("cp copied db:/data/copied", ""),
    ("exec -T db ls /data", "text"), ("frobnicate", ""), ("up --no-such-option", ""),
    ("version --short", ""), ("stop -t 0", ""), ("ps -q", "count"), ("start", ""), ("down", ""), ("down", ""), ("up -d db", ""), ("down -v", ""),
)


def in_engine(world, project):
    """What stands there: each service's containers by their state and number, volumes and networks."""
    found = sorted((one["Labels"]["com.docker.compose.service"], one["Labels"].get("com.docker.compose.container-number"), one["State"],
                    one["Labels"].get("com.docker.compose.oneoff")) for one in world.engine.containers(project))
    return found, len(world.engine.volumes(project)), len(world.engine.networks(project))


def printed(text, how):
    lines = text.splitlines()
    if how == "port":
        return [re.sub(r":\d+$", ":PORT", line) for line in lines]
    return {"": None, "text": text, "lines": sorted(lines), "count": len([line for line in lines if line])}[how]


def beside_compose(world):
    world.stack(FILE, name="compose.yaml")
    theirs = world.project + "c"
    environment = dict(world.environment, DOCKER_HOST="unix://" + world.engine.socket)
    differences = []
    try:
        for words, how in ROWS:
            arguments = shlex.split(words)
            their = subprocess.run([COMPOSE, "-p", theirs, *arguments], cwd=world.path("stack"), env=environment, stdin=subprocess.DEVNULL,
                                   capture_output=True, text=True, timeout=120)
            # An up -d of stackctl's returns before anything is there.
            our = subprocess.run(world.command(*[word for word in arguments if word != "-d"]), cwd=world.path("stack"), env=world.environment, stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True, timeout=120)
            said = f"\n-- theirs ({their.returncode})\n{their.stdout}{their.stderr}\n-- ours ({our.returncode})\n{our.stdout}{our.stderr}\n"
            # Codes of a command's own are passed on; of what fails otherwise each tool has its own.
            as_theirs = their.returncode == 0 or words.startswith(("exec -T web", "run "))
            if (our.returncode != their.returncode) if as_theirs else our.returncode == 0:
                differences.append(f"exit status of {words}: {our.returncode} for {their.returncode}{said}")
            if printed(our.stdout, how) != printed(their.stdout, how):
                differences.append(f"what {words} prints{said}")
            ours_there, theirs_there = in_engine(world, world.project), in_engine(world, theirs)
            if ours_there != theirs_there:
                differences.append(f"what is in the engine after {words}: {ours_there} for {theirs_there}{said}")
        equal(differences, [], "differences:\n" + "\n".join(differences) + "\n")
    finally:
        world.engine.wipe(theirs)


if COMPOSE:
    scenario("each verb has the effect and the exit status of the real Docker Compose's", parallel=False)(beside_compose)
