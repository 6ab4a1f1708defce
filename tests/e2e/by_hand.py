"""Hooks by hand and left out; the running operation from another terminal."""

from harness import IMAGE, check, equal, wait_until
from scenarios import scenario

BOX = f"image: {IMAGE}, init: true, command: sleep infinity, stop_grace_period: 1s"
FILE = f"""
services:
  db: {{{BOX}, post_start: [{{command: "true"}}], pre_start: [{{image: {IMAGE}, command: "true"}}]}}
lifecycle:
  before_up: ['echo before >> t/trace']
  after_up: [{{cmd: echo once >> t/trace, run: once}}, {{cmd: 'echo fails >> t/trace; exit 3', if: {{previous: failed}}}}]
  before_down: ['echo down >> t/trace']
"""


@scenario("hooks run calls entries of a stack that is up by hand, with a record of reason manual")
def hooks_run(world):
    world.stack(FILE)
    world.ctl("up").expect(0)
    world.ctl("hooks", "run", "after_up[0]").expect(0, "after_up[0] has run")
    equal(world.lines("stack/t/trace"), ["before", "once", "once"], "once, by hand, runs again")
    newest = world.hooks()[-1]
    equal((newest["phase"], newest["reason"], newest["state"]), ("after_up", "manual", "succeeded"), "record")
    world.ctl("hooks", "run", "db.post_start[0]", "db.pre_start").expect(0)
    equal([h["reason"] for h in world.hooks()[-2:]], ["manual", "manual"], "in the container and beside it")
    world.ctl("hooks", "run", "after_up[1]").expect(1, "3")
    world.ctl("hooks", "run", "after_up[7]").expect(5, "no hook 'after_up[7]'")
    equal(world.status()["status"], "up", "status after one that failed")
    world.ctl("up").expect(0, "nothing to do")
    world.ctl("down").expect(0)
    world.ctl("hooks", "run", "after_up[0]").expect(6, "it is down")


@scenario("up --skip-hooks leaves out what it names, down --skip-hooks all; reset makes once run again")
def skip_hooks(world):
    world.stack(FILE)
    world.ctl("up", "--skip-hooks", "after_up[0]", "--skip-hooks", "db.post_start", "--dry-run").expect(
        10, "skip after_up[0]: --skip-hooks", "skip db post_start[0]: --skip-hooks")
    world.ctl("up", "--skip-hooks", "after_up[0]", "--skip-hooks", "db.post_start").expect(0)
    equal(world.lines("stack/t/trace"), ["before"], "hooks")
    equal({h["phase"] for h in world.hooks() if h["reason"] == "--skip-hooks"}, {"after_up", "post_start"}, "records")
    world.ctl("up", "--skip-hooks", "after_ups").expect(5, "no hook 'after_ups'")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), ["before", "once"], "it is still due")
    world.ctl("up").expect(0, "nothing to do")
    world.ctl("hooks", "reset", "after_up").expect(0, "forgotten: 1 run")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), ["before", "once", "once"], "after a reset")
    world.ctl("down", "--skip-hooks").expect(0)
    check("down" not in world.lines("stack/t/trace"), "before_down ran")


SLOW = f"services: {{a: {{{BOX}}}}}\nlifecycle: {{after_up: ['touch t/there; sleep @SLEEP@; echo @WORD@ >> t/trace']}}\n"


@scenario("attach follows the running operation from any terminal, cancel ends it, and says when there is none")
def attach_and_cancel(world):
    world.stack(SLOW.replace("@SLEEP@", "3").replace("@WORD@", "a"))
    world.ctl("cancel").expect(5)
    up = world.spawn("up")
    wait_until(lambda: world.operations("up"), "the up")
    world.ctl("attach").expect(0, "the up has succeeded")
    world.end_of(up).expect(0)
    world.ctl("attach").expect(5, "no operation")
    world.ctl("down").expect(0)
    world.stack(SLOW.replace("@SLEEP@", "60").replace("@WORD@", "b"))
    up = world.spawn("up")
    wait_until(lambda: world.operations("up") and not world.ended("up"), "the up")
    world.ctl("cancel").expect(0, "the up is cancelled")
    world.end_of(up).expect(130)
    equal(world.lines("stack/t/trace"), ["a"], "hooks")


@scenario("An up of another file while one runs says so; --supersede cancels that one and goes on")
def supersede(world):
    world.stack(SLOW.replace("@SLEEP@", "60").replace("@WORD@", "a"))
    first = world.spawn("up")
    wait_until(lambda: world.operations("up"), "the first up")
    world.stack(SLOW.replace("@SLEEP@", "0").replace("@WORD@", "b"))
    world.ctl("up").expect(6, "stackctl up --supersede", "stackctl attach")
    world.ctl("up", "--supersede").expect(0, "cancelling it", "is up")
    world.end_of(first).expect(130)
    equal(world.lines("stack/t/trace"), ["b"], "hooks")
