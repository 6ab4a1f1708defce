"""What the scenarios of Compose's rules share."""

from harness import IMAGE, equal

BOX = f"image: {IMAGE}, init: true, command: sleep infinity, stop_grace_period: 1s"


def compose(world, text, name="compose.yaml"):
    return world.stack(text.replace("IMAGE", IMAGE).replace("BOX", BOX), name=name)


def tokens(world):
    return world.lines("stack/t/trace")


def only(world, service):
    found = world.engine.running(world.project, service)
    equal(len(found), 1, f"running containers of {service}")
    return found[0]


def inspect(world, service):
    return world.engine.inspect(only(world, service)["Id"])
