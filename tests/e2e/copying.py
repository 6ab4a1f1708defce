"""cp: every rule that docker cp has for paths, both ways; links, owners, streams of any size; beside docker's own."""

import hashlib
import io
import json
import os
import stat
import subprocess
import tarfile
import threading

from harness import IMAGE, UnixConnection, check, equal, request
from scenarios import scenario

STACK = f"""
services:
  db: {{image: {IMAGE}, command: [sleep, "1000"]}}
  web: {{image: {IMAGE}, command: [sleep, "1000"], deploy: {{replicas: 2}}}}
owned:
  api: {{cmd: sleep 1000}}
"""


def shell(world, words, service="db"):
    return world.ctl("exec", "-T", service, "sh", "-c", words)


def tree(path):
    """What is below a path: names, kinds, texts."""
    found = {}
    for folder, folders, files in os.walk(path):
        for name in folders + files:
            full = os.path.join(folder, name)
            key = os.path.relpath(full, path)
            if os.path.islink(full):
                found[key] = "-> " + os.readlink(full)
            elif os.path.isdir(full):
                found[key] = "directory"
            else:
                with open(full, encoding="utf-8") as file:
                    found[key] = file.read()
    return found


@scenario("cp: files and directories, there and not there, with and without /., do what docker cp does, both ways")
def as_docker_does(world):
    world.stack(STACK)
    world.ctl("up").expect(0)
    container = world.engine.running(world.project, "db")[0]["Id"]
    prepare = ("mkdir -p /s/dir/sub /s/is && echo one > /s/file && echo two > /s/dir/a && echo three > /s/dir/sub/b && "
               "ln -s file /s/link && ln -s dir /s/dlink && ln -s ../a /s/dir/sub/up && echo old > /s/old")
    shell(world, prepare).expect(0)

    def docker(cwd, *words):
        return subprocess.run(["docker", "-H", f"unix://{world.engine.socket}", "cp", *words], cwd=cwd, capture_output=True,
                              check=False).returncode

    def here(name):
        """A directory with something to copy to and from; the same for both."""
        base = world.path(name)
        os.makedirs(os.path.join(base, "is"))
        os.makedirs(os.path.join(base, "dir/sub"))
        for path, text in (("old", "old\n"), ("file", "one\n"), ("dir/a", "two\n"), ("dir/sub/b", "three\n")):
            with open(os.path.join(base, path), "w", encoding="utf-8") as file:
                file.write(text)
        os.symlink("file", os.path.join(base, "link"))
        os.symlink("dir", os.path.join(base, "dlink"))
        os.symlink("is", os.path.join(base, "tois"))
        return base

    cases = [([], s, t) for s in ("file", "dir", "dir/.", "dir/", "link", "dlink", "dlink/", "gone") for t in ("new", "is", "old", "new/", "no/where", "tois")]
    cases += [(["-L"], s, t) for s in ("link", "dlink") for t in ("new", "is")]
    numbers = " ".join(f"{side}{n}" for n in range(len(cases)) for side in ("ours", "theirs"))
    shell(world, f"for d in {numbers}; do mkdir -p /$d/is; echo old > /$d/old; ln -s is /$d/tois; done").expect(0)
    went = []
    for number, (option, source, target) in enumerate(cases):
        ours, theirs = here(f"ours{number}"), here(f"theirs{number}")
        got = subprocess.run(world.command("cp", *option, f"db:/s/{source}", os.path.join(ours, target)), env=world.environment,
                             capture_output=True, check=False)
        want = docker(theirs, *option, f"{container}:/s/{source}", target)
        equal((got.returncode != 0, tree(ours)), (want != 0, tree(theirs)), f"out: cp {option} {source} {target}: {got.stderr.decode()}")
        # And in, from what was there before.
        clean = here(f"from{number}")
        got = subprocess.run(world.command("cp", *option, f"{clean}/{source}", f"db:/ours{number}/{target}"), env=world.environment,
                             capture_output=True, check=False)
        went.append((got.returncode != 0, docker(clean, *option, f"./{source}", f"{container}:/theirs{number}/{target}") != 0, got.stderr.decode()))
    listing = ("for d in {}; do n=${{d#ours}}; echo \"== ${{n#theirs}}\"; cd /$d; find . | sort; find . -type f | sort | xargs cat; "
               "find . -type l | sort | xargs readlink; done")
    listed = [shell(world, listing.format(" ".join(f"{side}{n}" for n in range(len(cases))))).out.split("== ")[1:] for side in ("ours", "theirs")]
    for number, case in enumerate(cases):
        equal((went[number][0], listed[0][number]), (went[number][1], listed[1][number]), f"in: cp {case}: {went[number][2]}")


@scenario("cp: modes, times and links are kept, owners with -a; a tar goes through standard output and input; all replicas get what is copied in")
def what_is_kept(world):
    world.stack(STACK)
    world.ctl("up").expect(0)
    shell(world, "mkdir -p /s/d && echo x > /s/d/f && chown 12:34 /s/d/f && chmod 4750 /s/d/f && touch -d '2001-02-03 04:05:06' /s/d/f && chmod 0500 /s/d && "
                 "ln /s/d/f /s/d/hard").expect(0)
    world.ctl("cp", "-a", "db:/s/d", world.path("out")).expect(0)
    kept = os.lstat(world.path("out/f"))
    equal((stat.S_IMODE(kept.st_mode), int(kept.st_mtime) % 60, kept.st_uid, kept.st_gid, kept.st_nlink), (0o4750, 6, 12, 34, 2), "of the file")
    equal(stat.S_IMODE(os.lstat(world.path("out")).st_mode), 0o500, "of the directory")
    world.ctl("cp", world.path("out"), "web:/in").expect(0)
    world.ctl("cp", "-a", "--index", "2", world.path("out"), "web:/in2").expect(0)
    # Whose they are then is for the engine to say: the same as of docker cp.
    second = next(c["Id"] for c in world.engine.running(world.project, "web") if c["Labels"]["com.docker.compose.container-number"] == "2")
    for option, place in (([], "/theirs"), (["-a"], "/theirs2")):
        subprocess.run(["docker", "-H", f"unix://{world.engine.socket}", "cp", *option, world.path("out"), f"{second}:{place}"],
                       capture_output=True, check=True)
    owners = lambda index, path: world.ctl("exec", "-T", "--index", index, "web", "stat", "-c", "%a %u:%g", f"{path}/f").expect(0).out
    equal((owners("1", "/in"), owners("2", "/in")), (owners("2", "/theirs"),) * 2, "in both replicas")
    equal(owners("2", "/in2"), owners("2", "/theirs2"), "-a")
    world.ctl("exec", "-T", "--index", "1", "web", "ls", "/in2").expect(1)
    out = subprocess.run(world.command("cp", "db:/s/d", "-"), env=world.environment, capture_output=True, check=True).stdout
    names = tarfile.open(fileobj=io.BytesIO(out)).getnames()
    equal(sorted(names), ["d", "d/f", "d/hard"], "a tar on standard output")
    subprocess.run(world.command("cp", "-", "db:/tmp"), env=world.environment, input=out, check=True)
    equal(shell(world, "cat /tmp/d/f").out, "x\n", "a tar on standard input")
    world.ctl("stop", "db").expect(0)
    world.ctl("cp", "db:/s/d/f", world.path("of-one-that-is-stopped")).expect(0)


@scenario("cp: 300 MB go out and in unharmed, through little memory; the archive that leads out of its place writes nothing there")
def much(world):
    world.stack(STACK)
    world.ctl("up").expect(0)
    size = 300
    shell(world, f"dd if=/dev/urandom of=/big bs=1M count={size} 2>/dev/null").expect(0)
    child = subprocess.Popen(["/usr/bin/env", "bash", "-c", 'ulimit -v 200000; exec "$@"', "x"] + world.command("cp", "db:/big", world.path("big")),
                             env=world.environment)
    equal(child.wait(120), 0, "out, in 200 MB of address space")
    world.ctl("cp", world.path("big"), "db:/again").expect(0)
    with open(world.path("big"), "rb") as file:
        digest = hashlib.file_digest(file, "md5").hexdigest() if hasattr(hashlib, "file_digest") else hashlib.md5(file.read()).hexdigest()
    equal(shell(world, "md5sum < /again").out.split()[0], digest, "what came back")
    peak = [int(line.split()[1]) for line in open(f"/proc/{world.daemon.process.pid}/status", encoding="utf-8") if line.startswith("VmHWM")][0]
    check(peak < 200_000, f"the daemon took {peak} kB")


@scenario("cp refuses what it cannot mean: two containers, none, a process, a path that there is not; and so does the API")
def refused(world):
    world.stack(STACK)
    world.ctl("up").expect(0)
    check("between containers" in world.ctl("cp", "db:/a", "web:/b").expect(2).err, "two containers")
    check("neither" in world.ctl("cp", "/a", "./b").expect(2).err, "no container")
    check("runs on this host" in world.ctl("cp", "api:/a", ".").expect(2).err, "a process")
    check("no /gone in container" in world.ctl("cp", "db:/gone", ".").expect(1).err, "a path that there is not")
    base = f"/v1/stacks/{world.status()['id']}"
    equal(request(world.daemon.socket, "GET", f"{base}/path?service=db&path=/bin")[1]["kind"], "directory", "what a path is")
    equal(request(world.daemon.socket, "GET", f"{base}/path?service=db&path=/gone")[0], 404, "none")
    equal(request(world.daemon.socket, "GET", f"{base}/archive?service=db&path=/gone")[0], 404, "none to read")
    status, tar = request(world.daemon.socket, "GET", f"{base}/archive?service=db&path=/etc/hosts", raw=True)
    equal((status, tarfile.open(fileobj=io.BytesIO(tar)).getnames()), (200, ["hosts"]), "by curl")
    connection = UnixConnection(world.daemon.socket)
    connection.request("PUT", f"{base}/archive?service=db&path=/tmp", tar, {"Content-Type": "application/x-tar"})
    equal(connection.getresponse().status, 200, "a tar by curl")
    check("localhost" in shell(world, "cat /tmp/hosts").out, "what it has unpacked")
    connection.close()
