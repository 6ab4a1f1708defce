"""The keys of a compose.yaml: their effect, their refusal, and what config and graph print of them."""

import json
import os
import re

from compose_support import compose, inspect, only
from harness import IMAGE, Failure, check, equal
from scenarios import scenario

KEYS = """
services:
  box:
    image: IMAGE
    container_name: NAME-box
    command: ["-c", "sleep infinity"]
    entrypoint: [sh]
    environment: {A: "1", EMPTY: "", FROM_CALLER: }
    env_file: [{path: more.env}, {path: missing.env, required: false}]
    ports: ["127.0.0.1::80", {target: 81, protocol: udp}]
    expose: ["90"]
    volumes:
      - ./t:/t:ro
      - data:/data
      - /anonymous
      - {type: tmpfs, target: /scratch, tmpfs: {size: 1m}}
      - {type: bind, source: ./t, target: /t2, read_only: true}
    tmpfs: ["/run/x:size=64k"]
    networks: {front: {aliases: [alias], priority: 10}, back: }
    healthcheck: {test: [CMD-SHELL, "true"], interval: 3s, timeout: 2s, retries: 4, start_period: 1s}
    user: "0:0"
    working_dir: /tmp
    labels: [one=1, two]
    restart: on-failure:3
    init: true
    stop_signal: SIGINT
    stop_grace_period: 1500ms
    hostname: own-host
    domainname: example.test
    cap_add: [NET_ADMIN]
    cap_drop: [MKNOD]
    extra_hosts: ["other:10.1.2.3"]
    dns: [10.9.9.9]
    dns_search: [example.test]
    sysctls: {net.core.somaxconn: 1024}
    ulimits: {nofile: {soft: 1000, hard: 2000}, nproc: 500}
    security_opt: ["no-new-privileges:true"]
    group_add: ["27"]
    shm_size: 8m
    mem_limit: 64m
    cpus: 0.5
    pids_limit: 100
    oom_score_adj: 100
    privileged: false
    tty: true
    stdin_open: true
    logging: {driver: json-file, options: {max-size: 1m}}
    ipc: private
    devices: ["/dev/null:/dev/own"]
    secrets: [password, {source: token, target: /own/token}]
    configs: [{source: conf, target: /conf}]
networks: {front: , back: }
volumes: {data: }
secrets: {password: {file: pw.txt}, token: {environment: TOKEN}}
configs: {conf: {content: "key=${A_VALUE}"}}
"""


@scenario("Each key of a service has its effect on the container, as docker inspect shows it")
def keys(world):
    world.file("stack/pw.txt", "swordfish")
    world.file("stack/more.env", "A=overridden\nB='from # file'\nC=\"x $$Y\"\n")
    compose(world, KEYS.replace("NAME", world.project))
    world.ctl("up", environment={"FROM_CALLER": "yes", "TOKEN": "t0k3n", "A_VALUE": "value"}).expect(0)
    box = inspect(world, "box")
    config, host = box["Config"], box["HostConfig"]
    equal(config["Entrypoint"], ["sh"], "entrypoint")
    equal(config["Cmd"], ["-c", "sleep infinity"], "command")
    env = dict(item.split("=", 1) for item in config["Env"])
    equal([env.get(name) for name in ("A", "B", "EMPTY", "FROM_CALLER")], ["1", "from # file", "", "yes"], "environment")
    bound = host["PortBindings"]
    equal(bound["80/tcp"][0]["HostIp"], "127.0.0.1", "ports: host address")
    check(int(bound["81/udp"][0]["HostPort"]) > 0, "ports: udp")
    check("90/tcp" in config["ExposedPorts"], "expose")
    mounts = {m["Destination"]: m for m in box["Mounts"]}
    equal([mounts[t]["Type"] for t in ("/t", "/data", "/anonymous", "/scratch", "/t2")],
          ["bind", "volume", "volume", "tmpfs", "bind"], "volumes")
    equal([mounts[t]["RW"] for t in ("/t", "/data", "/t2")], [False, True, False], "volumes: ro")
    equal(mounts["/data"]["Name"], f"{world.project}_data", "volumes: the name")
    equal(host["Tmpfs"], {"/run/x": "size=64k"}, "tmpfs")
    networks = box["NetworkSettings"]["Networks"]
    equal(sorted(networks), [f"{world.project}_back", f"{world.project}_front"], "networks")
    check({"alias", "box"} <= set(networks[f"{world.project}_front"]["Aliases"]), "networks: aliases")
    equal(config["Healthcheck"], {"Test": ["CMD-SHELL", "true"], "Interval": 3 * 10**9, "Timeout": 2 * 10**9, "Retries": 4,
                                  "StartPeriod": 10**9}, "healthcheck")
    for key, value in (("User", "0:0"), ("WorkingDir", "/tmp"), ("StopSignal", "SIGINT"), ("StopTimeout", 1),
                       ("Hostname", "own-host"), ("Domainname", "example.test"), ("Tty", True), ("OpenStdin", True)):
        equal(config[key], value, key)
    equal([config["Labels"][key] for key in ("one", "two")], ["1", ""], "labels")
    equal(host["RestartPolicy"], {"Name": "on-failure", "MaximumRetryCount": 3}, "restart")
    for key, value in (("Init", True), ("ExtraHosts", ["other:10.1.2.3"]), ("Dns", ["10.9.9.9"]),
                       ("DnsSearch", ["example.test"]), ("Sysctls", {"net.core.somaxconn": "1024"}),
                       ("SecurityOpt", ["no-new-privileges:true"]), ("GroupAdd", ["27"]), ("ShmSize", 8 * 2**20),
                       ("Memory", 64 * 2**20), ("NanoCpus", 5 * 10**8), ("PidsLimit", 100), ("OomScoreAdj", 100),
                       ("IpcMode", "private")):
        equal(host[key], value, key)
    equal([c.removeprefix("CAP_") for c in host["CapAdd"] + host["CapDrop"]], ["NET_ADMIN", "MKNOD"], "capabilities")
    limits = {u["Name"]: (u["Soft"], u["Hard"]) for u in host["Ulimits"]}
    equal(limits, {"nofile": (1000, 2000), "nproc": (500, 500)}, "ulimits")
    equal(host["LogConfig"], {"Type": "json-file", "Config": {"max-size": "1m"}}, "logging")
    equal(host["Devices"][0]["PathInContainer"], "/dev/own", "devices")
    equal(execute(world, box["Id"], "cat /run/secrets/password /own/token /conf"), "swordfisht0k3nkey=value", "secrets, configs")


def execute(world, container, command):
    made = world.engine.call("POST", f"/containers/{container}/exec", {"Cmd": ["sh", "-c", command], "AttachStdout": True})
    raw = world.engine.call("POST", f"/exec/{made['Id']}/start", {"Detach": False}, raw=True)
    return "".join(chunk.decode() for chunk in re.findall(rb"[\x01\x02]\0\0\0....(.*?)(?=[\x01\x02]\0\0\0|\Z)", raw, re.S))


@scenario("links, volumes_from and pid: service: are made of the other containers' names and ids")
def linked(world):
    compose(world, """
services:
  db: {BOX, volumes: ["/data"], post_start: [{command: sh -c 'echo here > /data/file'}]}
  web: {BOX, links: ["db:database"], volumes_from: ["db:ro"], pid: "service:db"}
""")
    world.ctl("up").expect(0)
    web, db = inspect(world, "web"), only(world, "db")["Id"]
    equal(web["HostConfig"]["PidMode"], "container:" + db, "pid")
    equal(execute(world, web["Id"], "cat /data/file; nslookup database >/dev/null 2>&1 && echo known || grep -c database /etc/hosts").split()[0],
          "here", "volumes_from")
    check(execute(world, web["Id"], "ping -c1 -W1 database >/dev/null 2>&1; echo $?").strip() in ("0", "1"), "links")
    links = web["NetworkSettings"]["Networks"][f"{world.project}_default"]["Links"]
    check(f"{world.project}-db-1:database" in links, f"links: {links}")


@scenario("Keys that are not supported or not known are errors with their place, and the nearest known key")
def refused(world):
    for text, words in (("imgae: x", ["compose.yaml:2:", "imgae", "did you mean 'image'"]),
                        ("blkio_config: {wieght: 300}", ["compose.yaml:2:", "wieght"])):
        compose(world, "services:\n  box: {" + text + ", image: IMAGE}\n")
        world.ctl("up").expect(2, *words)
    compose(world, "services:\n  box: {image: IMAGE, read_only: true, configs: [c]}\nconfigs: {c: {content: x}}\n")
    world.ctl("up").expect(2, "compose.yaml:2:", "read_only", "config 'c'")
    os.unlink(world.path("stack/compose.yaml"))
    world.stack(f"services: {{box: {{image: {IMAGE}}}}}\nruntime: {{target: swarm}}\n")
    world.ctl("up").expect(2, "stackd.yaml:2:", "swarm", "not supported")
    equal(world.engine.containers(world.project), [], "containers")


# ---- config

@scenario("config prints Compose's canonical model of a compose.yaml, and its lists; a stackd.yaml is printed whole")
def config(world):
    compose(world, """
x-common: &common {restart: "no", labels: {tag: "${TAG:-1}"}}
services:
  web: {<<: *common, image: IMAGE, ports: ["8080:80"], command: echo $$HOME, depends_on: [db], profiles: [full]}
  db: {image: IMAGE, volumes: ["data:/data"], pre_start: [{image: "other:1", command: "true"}, {command: "false"}]}
volumes: {data: }
""")
    model = world.ctl("config", "--format", "json", "--profile", "full").expect(0).json()
    equal(model["services"]["web"]["ports"], [{"mode": "ingress", "protocol": "tcp", "published": "8080", "target": 80}], "ports")
    equal(model["services"]["web"]["command"], ["echo", "$$HOME"], "a dollar")
    equal(model["x-common"]["labels"], {"tag": "1"}, "x-*")
    equal(model["name"], world.project, "name")
    equal([hook["image"] for hook in model["services"]["db"]["pre_start"]], ["other:1", IMAGE], "C1.5: images of pre_start")
    equal(world.ctl("config", "--services").expect(0).out.split(), ["db"], "--services, without the profile")
    equal(world.ctl("config", "--images").expect(0).out.split(), [IMAGE, "other:1"], "C1.6: --images")
    equal(world.ctl("config", "--volumes").expect(0).out.split(), ["data"], "--volumes")
    equal(world.ctl("config", "--quiet").expect(0).out, "", "--quiet")
    equal(world.ctl("config", "--profiles").expect(0).out.split(), ["full"], "--profiles, of all services")
    written = world.ctl("convert", "--no-interpolate", "--format", "json").expect(0).json()
    equal(written["x-common"]["labels"], {"tag": "${TAG:-1}"}, "convert --no-interpolate")
    equal(world.ctl("config", "--variables").expect(0).out.split()[-3:], ["TAG", "false", "1"], "--variables")
    check("COMPOSE_PROJECT_NAME=" + world.project in world.ctl("config", "--environment").expect(0).out.split("\n"),
          "--environment")
    hashes = world.ctl("config", "--hash", "*").expect(0).out.split()
    equal([hashes[0], len(hashes[1])], ["db", 64], "--hash")
    text = world.ctl("config").expect(0).out
    for line in (f"name: {world.project}", "services:", "  db:", "      default: null", "    pre_start:", "      - command:"):
        check(line in text.splitlines(), f"config: {line!r} is not in\n{text}")
    world.file("stack/again/compose.yaml", text)
    again = world.ctl("config", "--format", "json", directory="stack/again").expect(0).json()
    equal(again["services"], world.ctl("config", "--format", "json").expect(0).json()["services"], "the model, read again")
    world.ctl("status", project=True).expect(5)
    os.unlink(world.path("stack/compose.yaml"))
    world.stack(f"""
services: {{db: {{image: {IMAGE}, lifecycle: {{after_ready: [echo ready]}}, hooks: {{post_build: echo built}}}}}}
owned: {{api: {{cmd: "run --port $PORT", port: {{env: PORT}}, depends_on: [db], ready_when: {{tcp: "${{owned.api.port}}"}}}}}}
env: {{A: "1"}}
lifecycle: {{before_up: [[echo a, echo b], {{cmd: echo c, timeout: 5s}}]}}
commands: {{test: {{cmd: make test}}}}
""")
    model = world.ctl("config", "--json").expect(0).json()
    equal(model["lifecycle"]["before_up"], [["echo a", "echo b"], {"cmd": "echo c", "timeout": "5000ms"}], "hooks")
    equal(model["owned"]["api"]["port"], {"env": "PORT"}, "owned")
    equal(model["services"]["db"]["lifecycle"], {"after_ready": ["echo ready"]}, "a service's own hooks")
    world.file("stack/again/stackd.yaml", world.ctl("config").expect(0).out)
    os.unlink(world.path("stack/again/compose.yaml"))
    again = world.ctl("config", "--json", directory="stack/again").expect(0).json()
    for key in ("owned", "env", "lifecycle", "commands", "services"):
        drop = json.dumps(again[key]).replace("/stack/again", "/stack")
        equal(json.loads(drop), model[key], f"{key}, read again")


@scenario("graph shows who comes after whom, as text, JSON and dot; nothing is run")
def graph(world):
    world.stack(f"""
services: {{db: {{image: {IMAGE}, healthcheck: {{test: "true"}}}}, web: {{image: {IMAGE}, depends_on: {{db: {{condition: service_healthy}}}}}}}}
owned: {{api: {{cmd: exec sleep 1}}}}
""")
    text = world.ctl("graph").expect(0).out
    check(re.search(r"^web +container +db \(service_healthy\)", text, re.M), text)
    document = world.ctl("graph", "--json").expect(0).json()
    equal([service["name"] for service in document["services"]], ["db", "web", "api"], "an order in which they could start")
    equal(document["services"][2]["depends_on"][0]["implied"], True, "X33: what is implied")
    check('"web" -> "db"' in world.ctl("graph", "--dot").expect(0).out, "dot")
    equal(world.engine.containers(world.project), [], "containers")
    world.ctl("status").expect(5)
    world.stack("services: {a: {imgae: x}}\n")
    world.ctl("graph").expect(2, "did you mean")
    try:
        world.ctl("config").expect(2, "did you mean")
    except Failure as failure:
        raise Failure(f"config of a wrong file: {failure}") from failure
