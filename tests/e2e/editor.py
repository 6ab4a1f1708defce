"""What editors are told: the schema says of a file what the loader says, mistakes come with their places."""

import copy
import json
import re
import subprocess

from harness import IMAGE, check, equal, request
from scenarios import scenario

# A valid file of most keys; each value in it is then changed, and the schema and the loader are asked.
BASE = {
    "name": "demo",
    "services": {
        "web": {
            "image": IMAGE, "command": ["sleep", "1"], "restart": "always", "mem_limit": "64m", "cpus": 0.5, "init": True,
            "ports": ["8080:80", {"target": 81, "published": "8081", "protocol": "tcp"}],
            "environment": {"A": "1"}, "labels": {"a": "b"}, "pull_policy": "missing", "stop_grace_period": "5s",
            "depends_on": {"db": {"condition": "service_started"}}, "cap_add": ["NET_ADMIN"],
            "volumes": ["./a:/a", {"type": "volume", "source": "data", "target": "/data"}],
            "healthcheck": {"test": ["CMD", "true"], "interval": "1s", "retries": 2},
            "deploy": {"replicas": 1, "resources": {"limits": {"memory": "64m"}}},
            "networks": {"default": {"aliases": ["x"]}}, "post_start": [{"command": "true"}],
            "logging": {"driver": "json-file"}, "ulimits": {"nofile": 10},
        },
        "db": {"image": IMAGE},
    },
    "volumes": {"data": {"driver": "local"}},
    "owned": {"api": {"cmd": "sleep 1", "restart": "no", "env": {"A": "1"}, "ready_when": {"log_match": "up", "timeout": "5s"}}},
    "lifecycle": {"before_up": [{"cmd": "true", "timeout": "5s"}]},
}
# What a value is replaced with. Forms only: what is in nobody's form (an unknown name) the loader alone can tell.
WRONG = [{"no": {"such": ["thing"]}}, [["a"]]]


def resolved(schema, root):
    while "$ref" in schema:
        schema = root_at(root, schema["$ref"])
    return schema


def root_at(root, reference):
    for part in reference[2:].split("/"):
        root = root[part]
    return root


KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def is_kind(value, kind):
    if kind in ("integer", "number"):
        return isinstance(value, int if kind == "integer" else (int, float)) and not isinstance(value, bool)
    return isinstance(value, KINDS[kind])


def holds(value, schema, root):
    """Whether a value is of a schema, as far as stackd's own schema goes."""
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema and not holds(value, root_at(root, schema["$ref"]), root):
        return False
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(is_kind(value, kind) for kind in kinds):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "anyOf" in schema and not any(holds(value, one, root) for one in schema["anyOf"]):
        return False
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        return False
    if is_kind(value, "number") and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return False
    if isinstance(value, list) and "items" in schema:
        return all(holds(item, schema["items"], root) for item in value)
    if isinstance(value, dict):
        return all(key in value for key in schema.get("required", [])) and all(
            member(key, one, schema, root) for key, one in value.items())
    return True


def member(key, value, schema, root):
    if key in schema.get("properties", {}):
        return holds(value, schema["properties"][key], root)
    for pattern, one in schema.get("patternProperties", {}).items():
        if re.search(pattern, key):
            return holds(value, one, root)
    return holds(value, schema.get("additionalProperties", True), root)


def places(value, path=()):
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, path + (key,))


def changed(path, value):
    out = copy.deepcopy(BASE)
    holder = out
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return out


def mutants():
    for path in places(BASE):
        if not path:
            continue
        for wrong in WRONG:
            yield path, changed(path, wrong)
        if isinstance(changed(path, {}), dict) and isinstance(at(path), dict) and not is_map_of_names(path):
            yield path + ("nokey",), changed(path, dict(at(path), nokey="x"))
    for path, wrong in ((("services", "web", "restart"), "sometimes"), (("services", "web", "mem_limit"), "12xb"),
                        (("services", "web", "ports", 0), 99999999), (("services", "web", "pull_policy"), "now and then"),
                        (("services", "web", "stop_grace_period"), "soon"), (("owned", "api"), {"cwd": "."}),
                        (("owned", "api", "restart"), "sometimes"), (("services", "web", "healthcheck", "retries"), "many"),
                        (("services", "web", "cpus"), "half")):
        yield path, changed(path, wrong)


def at(path):
    value = BASE
    for key in path:
        value = value[key]
    return value


def is_map_of_names(path):
    return len(path) == 1 and path[0] in ("services", "owned", "volumes") or path[-1] in (
        "environment", "labels", "env", "depends_on", "networks", "ulimits")


@scenario("The schema and the loader say the same of a valid file and of each that a changed value makes of it")
def both_verdicts(world):
    schema = world.daemon.get("/v1/schema")
    path = world.stack(json.dumps(BASE))

    def loads(document):
        body = {"directory": path, "files": ["stackd.yaml"], "buffers": {path + "/stackd.yaml": json.dumps(document)}}
        status, answer = request(world.daemon.socket, "POST", "/v1/validate", body)
        check(status == 200, f"POST /v1/validate: {status} {answer}")
        return answer

    check(holds(BASE, schema, schema), "the schema refuses the valid file")
    equal(loads(BASE)["errors"], [], "the loader, of the valid file")
    differ = []
    for where, mutant in mutants():
        by_schema, answer = holds(mutant, schema, schema), loads(mutant)
        if by_schema != answer["valid"]:
            differ.append(f"{where}: schema {by_schema}, loader {answer['valid']} {[e['message'] for e in answer['errors']][:1]}")
    check(not differ, "\n".join(differ))


@scenario("validate --json has each mistake as an object with its place; --stdin takes what an editor has not saved")
def mistakes_as_objects(world):
    path = world.stack(f"services:\n  web: {{image: {IMAGE}}}\n")
    text = f"services:\n  web:\n    image: {IMAGE}\n    restart: sometimes\n    imgae: x\n"
    command = world.command("--json", "-f", path + "/stackd.yaml", "validate", "--stdin", project=False)
    done = subprocess.run(command, env=world.environment, input=text.encode(), capture_output=True, check=False)
    equal(done.returncode, 2, "exit status of validate --stdin")
    found = json.loads(done.stdout)["errors"]
    equal([(e["file"], e["line"], e["column"], e["end"], e["severity"]) for e in sorted(found, key=lambda e: e["line"])],
          [("stackd.yaml", 4, 14, 23, "error"), ("stackd.yaml", 5, 5, 10, "error")], "places")
    equal([e.get("suggestion", "") for e in found if e["line"] == 5], ["image"], "suggestion")
    world.ctl("validate").expect(0)
    for options in ((), ("--compose",)):
        schema = world.ctl("schema", *options, project=False).expect(0).json()
        equal("owned" in schema["properties"], not options, f"owned at the top of the schema {options}")
        check("owned" in schema["properties"]["x-stackd"]["properties"], "x-stackd in the schema")
