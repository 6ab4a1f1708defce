"""Which stack a command means where Compose's variables say so: from elsewhere, with other files, by another name."""

import os

from harness import IMAGE, check, equal
from scenarios import scenario


@scenario("COMPOSE_FILE, COMPOSE_PROJECT_NAME and --project-directory choose the stack of down, ps and logs from anywhere")
def from_elsewhere(world):
    text = f"services: {{box: {{image: {IMAGE}, command: sh -c 'echo of-box; exec sleep 600'}}}}\n"
    there = world.stack(text, name="other.yaml", directory="there")
    world.stack("", name="nothing.txt", directory="elsewhere")
    name = {"COMPOSE_PROJECT_NAME": world.project}

    def ctl(*words, directory="elsewhere", environment=None):
        return world.ctl(*words, directory=directory, project=False, environment=environment)

    def names(*words, **where):
        return [row for row in ctl(*words, "ps", "-q", **where).expect(0).out.split()]

    files = {"COMPOSE_FILE": os.path.join(there, "other.yaml")}
    ctl("up", environment={**files, **name}).expect(0)
    ids = names(environment={**files, **name})
    equal(len(ids), 1, "ps by both")
    equal(names(environment=files), ids, "ps by COMPOSE_FILE alone")
    equal(names(environment=name), ids, "ps by COMPOSE_PROJECT_NAME alone")
    equal(names("--project-directory", there), ids, "ps by --project-directory")
    world.file("elsewhere/.env", f"COMPOSE_FILE=../there/other.yaml\nCOMPOSE_PROJECT_NAME={world.project}\n")
    equal(names(), ids, "ps by .env")
    check("of-box" in ctl("logs").expect(0).out, "logs by .env")
    ctl("ps", environment={"COMPOSE_DISABLE_ENV_FILE": "1"}).expect(5)
    world.file("elsewhere/named.env", f"COMPOSE_FILE=../there/other.yaml\nCOMPOSE_PROJECT_NAME={world.project}\n")
    world.file("elsewhere/.env", "")
    equal(names("--env-file", "named.env"), ids, "ps by --env-file")
    equal(names(environment={"COMPOSE_ENV_FILES": "named.env"}), ids, "ps by COMPOSE_ENV_FILES")
    world.file("elsewhere/.env", f"# no stack file here\nexport COMPOSE_PROJECT_NAME=\"{world.project}\"\n")
    equal(names(), ids, "ps by the name in .env, where no stack file is")
    ctl("ps", environment={"COMPOSE_DISABLE_ENV_FILE": "1"}).expect(5)
    world.file("elsewhere/.env", "")
    ctl("down", environment={"COMPOSE_PROJECT_NAME": world.project + "-other"}).expect(0)
    equal(names(environment=name), ids, "what is called otherwise stays")
    ctl("down", environment=name).expect(0)
    world.nothing_left()


@scenario("A stack that came of the standard input is named by it again: ps and down take `-f -`, and no other stack")
def of_standard_input(world):
    world.stack("", name="nothing.txt")
    text = f"name: {world.project}\nservices: {{box: {{image: {IMAGE}, command: sleep 600, init: true}}}}\n"
    other = text.replace(f"name: {world.project}", f"name: {world.project}-other")

    def ctl(*words, text=text):
        return world.ctl("-f", "-", *words, project=False, text=text)

    ctl("up").expect(0)
    ids = ctl("ps", "-q").expect(0).out.split()
    equal(len(ids), 1, "ps")
    check("nothing to take down" in ctl("down", text=other).expect(0).out, "another name is another stack")
    equal(ctl("ps", "-q").expect(0).out.split(), ids, "what is called otherwise stays")
    ctl("down").expect(0)
    world.nothing_left()


@scenario("A variable of the caller that is not UTF-8 is named in a warning, and the rest is handed on")
def bytes_in_the_environment(world):
    world.stack(f"services: {{box: {{image: {IMAGE}, environment: [GOOD, BAD]}}}}\n", name="compose.yaml")
    bad = b"a\xffb".decode("utf-8", "surrogateescape")
    said = world.ctl("config", environment={"GOOD": "\u00e9", "BAD": bad}).expect(0)
    check("GOOD: \u00e9" in said.out and "BAD: null" in said.out, f"config: {said.out}")
    equal(said.err.count("'BAD'"), 1, "the warning")
    check("UTF-8" in said.err and "GOOD" not in said.err, f"the warning: {said.err}")
