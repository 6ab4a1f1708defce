"""What an earlier up has started and the file has no more, and what is done already: neither is lost, neither is repeated."""

from harness import check, equal
from scenarios import scenario

OLD = """
  old:
    cmd: exec sleep 1000
    cwd: t
    port: {env: OLD_PORT}
    lifecycle: {before_down: ['echo "before_down $STACKD_REASON $OLD_PORT ${owned.old.port}" >> t/trace']}
    stop_cmd: 'echo "stop_cmd $OLD_PORT ${owned.old.port}" >> trace'
  job: {cmd: "true", oneshot: true, stop_cmd: "echo undone >> t/trace"}
"""


def stack(world, more):
    world.stack('version: "1"\nowned:\n  a: {cmd: exec sleep 1000}\n' + more, name="lich.yaml")


@scenario("X8: a process that the file no longer has is told of; --remove-orphans and down take it away, hooks, stop_cmd and all")
def orphans(world):
    for command in (["up", "--remove-orphans"], ["down"]):
        stack(world, OLD)
        world.file("stack/t/trace", "")
        world.ctl("up").expect(0)
        old = world.services()["old"]
        port = old["ports"][0]["host_port"]
        stack(world, "")
        world.ctl("up").expect(0, "'old'", "'job'", "--remove-orphans")
        check(any("sleep 1000" in line and line.startswith(f"{old['pid']} ") for line in world.processes()), "it runs on")
        equal(world.lines("stack/t/trace"), [], "nothing of it was run yet")
        world.ctl(*command).expect(0)
        equal(sorted(world.lines("stack/t/trace")),
              sorted([f"before_down orphan {port} {port}", f"stop_cmd {port} {port}", "undone"]), " ".join(command))
        check(not any(line.startswith(f"{old['pid']} ") for line in world.processes()), f"it is gone: {world.processes()}")
    world.nothing_left()


@scenario("L3.7: a oneshot that is done is not done again by an up that starts something else; when it changes it is")
def done(world):
    job = '  job: {cmd: "echo %s >> t/trace", oneshot: true, lifecycle: {before_start: ["echo before_start >> t/trace"]}}\n'
    stack(world, job % "one")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), ["before_start", "one"], "the first up")
    stack(world, job % "one" + "  b: {cmd: exec sleep 1000, depends_on: [job]}\n")
    world.ctl("up").expect(0)
    equal(sorted(world.services()), ["a", "b", "job"], "services")
    equal(world.lines("stack/t/trace"), ["before_start", "one"], "an up that starts another service")
    stack(world, job % "two")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), ["before_start", "one", "before_start", "two"], "when it changes")
    world.ctl("up", "--force-recreate").expect(0)
    equal(len(world.lines("stack/t/trace")), 6, "--force-recreate")


@scenario("A process that an up makes anew ends as on down, once before_start has worked: before_down, stop_cmd; STACKD_REASON says recreate")
def replaced(world):
    text = """  b:
    cmd: exec sleep %s
    stop_cmd: echo stop_cmd >> t/trace
    lifecycle:
      before_start: ["echo before_start $STACKD_REASON >> t/trace"]
      before_down: ["echo before_down $STACKD_REASON >> t/trace"]
"""
    stack(world, text % "1000")
    world.ctl("up").expect(0)
    before = world.services()
    world.file("stack/t/trace", "")
    anew = ["before_start up", "before_down recreate", "stop_cmd"]
    stack(world, text % "1001")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), anew, "when it has changed")
    equal(world.services()["a"]["pid"], before["a"]["pid"], "what has not changed")
    check(not any(line.startswith(f"{before['b']['pid']} ") for line in world.processes()), "the old one is gone")
    world.ctl("up", "--force-recreate").expect(0)
    equal(world.lines("stack/t/trace"), anew * 2, "--force-recreate")
    before = world.services()
    stack(world, (text % "1002").replace("echo before_start", "exit 3; echo before_start"))
    world.ctl("up").expect(1, "before_start")
    equal((world.services()["b"]["pid"], world.lines("stack/t/trace")), (before["b"]["pid"], anew * 2), "X32: what ran before stays")
