"""X37 with the real Docker Compose: STACKD_E2E_COMPOSE names its program (2.x); without it there is nothing to compare with."""

import os
import subprocess

from harness import IMAGE, check, equal, wait_until
from scenarios import scenario

COMPOSE = os.environ.get("STACKD_E2E_COMPOSE", "")
FILE = """
services:
  db:
    image: {image}
    init: true
    command: ["sh", "-c", "echo {word}; exec sleep 1000"]
    stop_grace_period: 1s
    volumes: ["data:/data", "/anon"]
    healthcheck: {{test: ["CMD-SHELL", "{health}"], interval: 1s, retries: 1, start_period: 0s}}
  web:
    image: {image}
    init: true
    command: ["sh", "-c", "echo web; exec sleep 1000"]
    stop_grace_period: 1s
    depends_on: {{db: {{condition: service_healthy}}}}
    scale: 2
volumes: {{data: {{}}}}
"""


def compose(world, *arguments):
    environment = {"PATH": os.environ["PATH"], "HOME": world.path("user"), "DOCKER_HOST": "unix://" + world.engine.socket}
    done = subprocess.run([COMPOSE, "-p", world.project, *arguments], cwd=world.path("stack"), env=environment,
                          capture_output=True, text=True, timeout=120)
    equal(done.returncode, 0, f"docker compose {' '.join(arguments)}\n{done.stdout}\n{done.stderr}\n")
    return done.stdout


def by_service(world):
    found = {}
    for one in world.engine.containers(world.project):
        found.setdefault(one["Labels"]["com.docker.compose.service"], []).append((one["Id"], one["State"]))
    return {name: sorted(all) for name, all in found.items()}


if COMPOSE:

    @scenario("X37: what Docker Compose itself has up is adopted, fails and is put back, is changed, goes, and Compose may have it again")
    def with_the_real_one(world):
        world.stack(FILE.format(image=IMAGE, word="one", health="true"), name="compose.yaml")
        compose(world, "up", "-d", "--wait")
        made = by_service(world)
        world.engine.run(world.project, ["sh", "-c", "echo kept > /v/word"], volume=f"{world.project}_data")
        world.ctl("up").expect(6, "--adopt")
        equal(by_service(world), made, "what Compose has up")

        # One that fails leaves it to Compose as it was.
        world.file("stack/compose.yaml", FILE.format(image=IMAGE, word="two", health="false"))
        world.ctl("up", "--adopt").expect(1, "db")
        equal(by_service(world), made, "what Compose has up, after an up that failed")
        world.file("stack/compose.yaml", FILE.format(image=IMAGE, word="one", health="true"))
        compose(world, "up", "-d", "--wait")
        equal(by_service(world), made, "what Compose would change of it")

        world.ctl("up", "--adopt").expect(0)
        check(world.project in compose(world, "ls"), "compose ls")
        equal(len(compose(world, "ps", "-q").split()), 3, "compose ps")
        wait_until(lambda: "one" in compose(world, "logs", "db"), "compose logs")
        equal(compose(world, "exec", "-T", "db", "cat", "/data/word").strip(), "kept", "compose exec")
        taken = by_service(world)

        world.file("stack/compose.yaml", FILE.format(image=IMAGE, word="three", health="false"))
        world.ctl("up").expect(1, "db")
        equal(by_service(world), taken, "what was adopted, after an up that failed")
        world.file("stack/compose.yaml", FILE.format(image=IMAGE, word="three", health="true"))
        world.ctl("up").expect(0)

        # The way back: down here, up there; the data stays.
        world.ctl("down").expect(0)
        equal(by_service(world), {}, "what is left")
        compose(world, "up", "-d", "--wait")
        equal(compose(world, "exec", "-T", "db", "cat", "/data/word").strip(), "kept", "the data, with Compose again")
        compose(world, "down", "-v")
        world.nothing_left()
