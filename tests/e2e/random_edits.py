"""X34: random edits of a stack that is up, half of them to something that fails; what ran before answers again after
each failed up. And a plan says what the up after it does.

STACKD_E2E_EDITS is how many edits (12), STACKD_E2E_SEED a number that they are drawn by, STACKD_E2E_PLANS how many pairs of
files (20)."""

import copy
import json
import os
import random
import time

from harness import IMAGE, Failure, check, equal, wait_until
from scenarios import scenario

EDITS = int(os.environ.get("STACKD_E2E_EDITS", "12"))
PLANS = int(os.environ.get("STACKD_E2E_PLANS", "20"))
SEED = os.environ.get("STACKD_E2E_SEED", "1")
ANSWERS = ["CMD-SHELL", "true"]


def container(word):
    return {"image": IMAGE, "init": True, "command": ["sh", "-c", f"echo {word}; exec sleep 1000"],
            "stop_grace_period": "1s", "networks": ["inner"], "volumes": ["data:/data"],
            "healthcheck": {"test": ANSWERS, "interval": "1s", "retries": 1, "start_period": "0s"}}


def first_model():
    return {"services": {"a": container("a"), "b": dict(container("b"), depends_on=["a"]), "c": container("c")},
            "owned": {"p": {"cmd": "echo p; exec sleep 1000"}, "q": {"cmd": "echo q; exec sleep 1000"}},
            "networks": {"inner": {"labels": {"v": "0"}}}, "volumes": {"data": {}}, "lifecycle": {}}


# Each changes a model; with `bad` so that an up of it fails.

def edit_image(model, draw, bad):
    draw_container(model, draw)["image"] = "stackd.invalid/nosuch:1" if bad else IMAGE


def edit_command(model, draw, bad):
    service, late = draw_container(model, draw), draw.random() < 0.5
    end = "exec sleep 1000" if not bad else "sleep 0.3; echo FATAL; exit 4" if late else "echo FATAL; exit 3"
    service["command"] = ["sh", "-c", f"echo {draw.random()}; {end}"]
    if bad and late:  # or it would be ready before it ends
        service["healthcheck"] = dict(container("")["healthcheck"], test=["CMD-SHELL", "test -e /ready"], retries=9)


def edit_healthcheck(model, draw, bad):
    test = ["CMD-SHELL", "echo not well; false"] if bad else ["CMD-SHELL", f"true {draw.random()}"]
    draw_container(model, draw)["healthcheck"] = dict(container("")["healthcheck"], test=test)


def edit_environment(model, draw, bad):
    draw_container(model, draw)["environment"] = {"LEVEL": str(draw.random())}
    if bad:
        edit_hook(model, draw, True)


def edit_ports(model, draw, bad):
    service = draw_container(model, draw)
    service["ports"] = ["70000:1"] if bad else [str(draw.randint(1000, 1010))]


def edit_networks(model, draw, bad):
    model["networks"]["inner"]["labels"]["v"] = str(draw.random())
    if bad:
        edit_hook(model, draw, True)


def edit_scale(model, draw, bad):
    service = draw_container(model, draw)
    service["scale"] = draw.randint(1, 3)
    if bad:
        edit_command(model, draw, True)


def edit_hook(model, draw, bad):
    end = "echo the hook >&2; exit 5" if bad else "true"
    if bad:  # a hook runs only in an up that has something to do
        draw_container(model, draw)["environment"] = {"LEVEL": str(draw.random())}
    model["lifecycle"] = {draw.choice(["before_up", "after_up"]): [f"{end} {draw.random()}" if not bad else end]}


def edit_process(model, draw, bad):
    process = model["owned"][draw.choice(sorted(model["owned"]))]
    process["cmd"] = f"echo {draw.random()}; " + ("exit 6" if bad else "exec sleep 1000")


def edit_service(model, draw, bad):
    name = draw.choice(["d", "e"])
    if name in model["services"] and not bad:
        del model["services"][name]
    else:
        model["services"][name] = container(name)
        if bad:
            model["services"][name]["command"] = ["sh", "-c", "echo FATAL; exit 7"]


def draw_container(model, draw):
    return model["services"][draw.choice(sorted(model["services"]))]


KINDS = [edit_image, edit_command, edit_healthcheck, edit_environment, edit_ports, edit_networks, edit_scale, edit_hook,
         edit_process, edit_service]


def edited(model, draw, bad):
    next_model = copy.deepcopy(model)
    kind = draw.choice(KINDS)
    kind(next_model, draw, bad)
    return kind.__name__ + (" (bad)" if bad else ""), next_model


def what_runs(world):
    """By service: ids of containers, or whether the process runs."""
    found = {}
    for one in world.engine.containers(world.project):
        labels = one["Labels"]
        if one["State"] == "running" and not labels.get("com.docker.compose.hook"):
            found.setdefault(labels["com.docker.compose.service"], []).append(one["Id"])
    for service in world.status()["services"]:
        if service["kind"] == "process":
            found[service["name"]] = service["status"]
    return {name: sorted(ids) if isinstance(ids, list) else ids for name, ids in found.items()}


def all_there_is(world):
    return sorted(one["Id"] for one in world.engine.containers(world.project))


def write_model(world, model):
    # JSON is YAML; a `$` of a command would be Compose's.
    world.file("stack/stackd.yaml", json.dumps(model))


def killed_at_random(world, draw, client):
    """kill -9 of the daemon at some moment of the operation; the client starts nothing: the next one carries it on."""
    time.sleep(draw.random() * 3)  # any moment will do
    if client.poll() is None:
        world.daemon.kill()
        world.daemon.start()


@scenario("X34: random edits, half of them to something that fails: after each failed up what ran before runs again, and nothing is left over")
def random_edits(world):
    draw = random.Random(SEED)
    good = first_model()
    world.stack(json.dumps(good))
    world.ctl("up").expect(0)
    volume = f"{world.project}_data"
    world.engine.run(world.project, ["sh", "-c", "echo precious > /v/kept"], volume=volume)
    done = []
    for number in range(EDITS):
        bad = draw.random() < 0.5
        name, model = edited(good, draw, bad)
        kill = draw.random() < 1 / 3
        done.append(f"{number}: {name}{', killed' if kill else ''}")
        before, there = what_runs(world), all_there_is(world)
        write_model(world, model)
        client = world.spawn("up", "--remove-orphans")
        if kill:
            killed_at_random(world, draw, client)
        result = world.end_of(client, limit=120)
        history = "\n".join(done[-5:]) + f"\n{result.text}"
        check(result.code in (0, 1, 2, 3), f"exit status {result.code} after\n{history}")
        if result.code == 3 or (kill and result.code == 1 and "daemon" in result.text):
            result = world.ctl("up", "--remove-orphans")  # it died before the wish was written
            history = "\n".join(done[-5:]) + f"\n{result.text}"
        equal(result.code != 0, bad, f"whether it fails, after\n{history}\n")
        try:
            if bad:
                wait_until(lambda: what_runs(world) == before, "what ran before")
                equal(all_there_is(world), there, "all containers")
            else:
                good = model
                wanted = set(good["services"]) | set(good["owned"])
                equal(set(what_runs(world)), wanted, "the services that run")
                equal(len(all_there_is(world)), sum(s.get("scale", 1) for s in good["services"].values()), "the containers")
            equal(world.status()["status"], "up", "the stack's status")
        except Failure as failure:
            raise Failure(f"{failure}\nruns now: {what_runs(world)}\nran before: {before}\nafter\n{history}")
    kept = world.engine.run(world.project, ["cat", "/v/kept"], volume=volume)
    check("precious" in str(kept), f"the data of the volume: {kept}")
    world.ctl("down", "-v").expect(0)
    world.nothing_left()


@scenario("A plan says what the up after it does, of random pairs of files; after it there is nothing to do")
def plans_and_ups(world):
    draw = random.Random(SEED)
    model = first_model()
    world.stack(json.dumps(model))
    world.ctl("up").expect(0)
    for number in range(PLANS):
        name, model = edited(model, draw, False)
        write_model(world, model)
        planned = world.ctl("--json", "up", "--remove-orphans", "--dry-run")
        check(planned.code in (0, 10), f"{number}, {name}: exit status {planned.code}\n{planned.text}")
        before, there = what_runs(world), set(all_there_is(world))
        done = world.ctl("up", "--remove-orphans").expect(0)
        says = planned.json()["actions"]
        new = {one["Labels"]["com.docker.compose.service"] for one in world.engine.containers(world.project)
               if one["Id"] not in there}
        gone = {service for service, ids in before.items() if isinstance(ids, list)
                and not set(ids) <= set(all_there_is(world))}
        told = {action["service"] for action in says if action.get("service") and action["action"] != "skip"}
        told |= {service for action in says for service in action.get("takes_along", [])}
        history = f"{number}, {name}: {json.dumps(says, indent=1)}\n{done.text}"
        check((new | gone) <= told, f"an up touched {sorted((new | gone) - told)}, which the plan has not, after\n{history}")
        quiet = planned.code == 0
        if quiet:
            equal(new | gone, set(), f"what an up without a plan touched, after\n{history}\n")
        again = world.ctl("--json", "up", "--remove-orphans", "--dry-run")
        equal(again.code, 0, f"whether there is still something to do, after\n{history}\n{again.text}\n")
    world.ctl("down", "-v").expect(0)
    world.nothing_left()
