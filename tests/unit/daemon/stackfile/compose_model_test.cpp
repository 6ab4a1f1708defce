#include "daemon/stackfile/compose_model.hpp"
#include "daemon/stackfile/stack_model.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;
using nlohmann::json;

namespace {

// The model of a compose.yaml, with its own directory as @DIR@.
json canonical(const std::string& text) {
  test::Loading loading(text);
  loading.directory.write(".env", "TAG=3\nPASSWORD=pa$$word\n");
  std::string out = stackfile::compose_model(loading.load()).dump();
  const std::string directory = loading.directory.path();
  for (std::size_t at = 0; (at = out.find(directory, at)) != std::string::npos;)
    out.replace(at, directory.size(), "@DIR@");
  return json::parse(out);
}

}  // namespace

// The expected texts here were written after what Docker Compose prints for files of the same shape.
TEST_CASE("a web service with a database becomes Compose's canonical model", "[stackfile][model]") {
  CHECK(canonical(R"(services:
  web:
    build: ./web
    ports: ["127.0.0.1:8080:80", "443"]
    depends_on: [db]
    volumes: ["./src:/src:ro", "cache:/cache", "/src/node_modules"]
    healthcheck: {test: "wget -q $$HOST", interval: 90s, retries: 3}
    restart: always
  db:
    image: postgres:$TAG
    command: postgres -c "log_statement = all"
    environment: [POSTGRES_PASSWORD=$PASSWORD, PGDATA]
    secrets: [pw]
    expose: [5432]
    deploy: {resources: {limits: {memory: 1.5G}}}
volumes: {cache: }
secrets: {pw: {file: pw.txt}}
)") == json::parse(R"({
  "name": "demo",
  "networks": {"default": {"ipam": {}, "name": "demo_default"}},
  "secrets": {"pw": {"file": "@DIR@/pw.txt", "name": "demo_pw"}},
  "services": {
    "web": {
      "build": {"context": "@DIR@/web", "dockerfile": "Dockerfile"},
      "command": null, "entrypoint": null,
      "depends_on": {"db": {"condition": "service_started", "required": true}},
      "healthcheck": {"test": ["CMD-SHELL", "wget -q $$HOST"], "interval": "1m30s", "retries": 3},
      "networks": {"default": null},
      "ports": [{"mode": "ingress", "host_ip": "127.0.0.1", "protocol": "tcp", "published": "8080", "target": 80},
                {"mode": "ingress", "protocol": "tcp", "target": 443}],
      "restart": "always",
      "volumes": [{"type": "bind", "source": "@DIR@/src", "target": "/src", "read_only": true, "bind": {"create_host_path": true}},
                  {"type": "volume", "source": "cache", "target": "/cache", "volume": {}},
                  {"type": "volume", "target": "/src/node_modules", "volume": {}}]
    },
    "db": {
      "command": ["postgres", "-c", "log_statement = all"], "entrypoint": null,
      "deploy": {"placement": {}, "resources": {"limits": {"memory": "1610612736"}}},
      "environment": {"POSTGRES_PASSWORD": "pa$$word", "PGDATA": null},
      "expose": ["5432"],
      "image": "postgres:3",
      "networks": {"default": null},
      "secrets": [{"source": "pw", "target": "/run/secrets/pw"}]
    }
  },
  "volumes": {"cache": {"name": "demo_cache"}}
})"));
}

TEST_CASE("networks and a long bind become Compose's canonical model", "[stackfile][model]") {
  CHECK(canonical(R"(services:
  dns:
    image: dns
    container_name: dns
    networks: {inner: {ipv4_address: 172.20.0.2}}
    volumes: [{type: bind, source: ./conf, target: /conf, read_only: true}, "/etc/dns/:/etc/dns"]
    sysctls: [net.a=1]
    stop_grace_period: 1h
networks:
  inner: {driver: bridge, ipam: {config: [{subnet: 172.20.0.0/24}]}}
)") == json::parse(R"({
  "name": "demo",
  "networks": {"inner": {"driver": "bridge", "ipam": {"config": [{"subnet": "172.20.0.0/24"}]}, "name": "demo_inner"}},
  "services": {
    "dns": {
      "command": null, "entrypoint": null, "container_name": "dns", "image": "dns",
      "networks": {"inner": {"ipv4_address": "172.20.0.2"}},
      "stop_grace_period": "1h0m0s",
      "sysctls": {"net.a": "1"},
      "volumes": [{"type": "bind", "source": "@DIR@/conf", "target": "/conf", "read_only": true},
                  {"type": "bind", "source": "/etc/dns/", "target": "/etc/dns", "bind": {"create_host_path": true}}]
    }
  }
})"));
}

TEST_CASE("paths of an included and of an extended file are that file's, wherever they stand",
          "[stackfile][model]") {
  test::Loading loading("include: [s/c.yaml]\nx-own: 1\nservices:\n  t: {image: t}\n");
  loading.directory.write("s/c.yaml", R"(x-theirs: 1
services:
  a:
    extends: {file: ../o.yaml, service: o}
    build: {additional_contexts: [one=./x, "two=docker-image://y"]}
    develop: {watch: [{path: ./src, action: rebuild}]}
    volumes: [data:/v]
volumes: {data: {driver: local, driver_opts: {type: none, o: bind, device: ./data}}}
)");
  loading.directory.write("o.yaml",
                          "services: {o: {image: o, develop: {watch: [{path: p, action: rebuild}]}, "
                          "build: {args: [A=1]}}}\n");
  const auto spec = loading.load();
  const json model = stackfile::compose_model(spec);
  CAPTURE(model.dump());
  const json& build = model["services"]["a"]["build"];
  CHECK(build["context"] == loading.path("s"));
  CHECK(build["additional_contexts"] == json{{"one", loading.path("s/x")}, {"two", "docker-image://y"}});
  CHECK(model["services"]["a"]["develop"]["watch"][0]["path"] == loading.path("p"));
  CHECK(model["services"]["a"]["develop"]["watch"][1]["path"] == loading.path("s/src"));
  CHECK(model["volumes"]["data"]["driver_opts"]["device"] == loading.path("s/data"));
  CHECK(model.contains("x-own"));
  CHECK_FALSE(model.contains("x-theirs"));
}

TEST_CASE("an include whose project_directory is no directory has the one that would hold it",
          "[stackfile][model]") {
  test::Loading loading("include: [{path: two/a.yml, project_directory: two/root}]\n");
  loading.directory.write("two/a.yml", "services: {a: {image: a, volumes: [./x:/x]}}\n");
  const auto source = [&] {
    const json model = stackfile::compose_model(loading.load());
    return model["services"]["a"]["volumes"][0]["source"].get<std::string>();
  };
  CHECK(source() == loading.path("two/x"));
  loading.directory.write("two/root/.env", "");
  CHECK(source() == loading.path("two/root/x"));
}

TEST_CASE("a service of the profile without a name is there while no profile is chosen", "[stackfile]") {
  test::Loading loading("services:\n  a: {image: a}\n  b: {image: b, profiles: ['', x]}\n");
  CHECK(loading.load().find("b"));
  loading.request.profile = "other";
  CHECK_FALSE(loading.load().find("b"));
}

TEST_CASE("config --no-interpolate: long forms where they can be read, values as they are written",
          "[stackfile][model]") {
  test::Loading loading(R"(name: ${P:-shop}
services:
  web:
    image: "web:${TAG:-1}"
    build: {context: ., args: [A]}
    environment: [A, "B=${B:?need}"]
    ports: ["${PORT:-80}:80", 81]
    volumes: ["./data:/data"]
    env_file: a.env
    depends_on: [db]
  db: {image: db, ports: [5432], profiles: [off], cap_add: []}
volumes: {unused: }
x-more: ${MORE}
)");
  loading.request.project_name = "";
  const auto written = stackfile::load_as_written(loading.request);
  CHECK(written.name == "p-shop");
  const json model = json::parse(written.model);
  const json& web = model["services"]["web"];
  CHECK(web["image"] == "web:${TAG:-1}");
  CHECK(web["environment"] == json{"A", "B=${B:?need}"});
  CHECK(web["ports"] == json{"${PORT:-80}:80", 81});
  CHECK(web["volumes"][0]["source"] == loading.path("data"));
  CHECK(web["env_file"] == json{{{"path", loading.path("a.env")}, {"required", true}}});
  CHECK(web["depends_on"]["db"] == json{{"condition", "service_started"}, {"required", true}});
  CHECK(model["services"]["db"]["ports"][0]["target"] == 5432);
  CHECK(model["services"]["db"]["cap_add"] == nullptr);
  CHECK(model["networks"]["default"]["name"] == "p-shop_default");
  CHECK(model["volumes"]["unused"]["name"] == "p-shop_unused");
  CHECK(model["x-more"] == "${MORE}");
}

TEST_CASE("config --no-interpolate: a mapping that is merged is a sorted list, a list keeps its order",
          "[stackfile][model]") {
  test::Loading loading("services:\n  web: {image: x, environment: {Z: 1, A: 2}, labels: [z=1, b=2]}\n");
  loading.directory.write("compose.override.yaml",
                          "services:\n  web: {environment: {N: 1, A: 3, B: }, labels: {c: 3, a: 1}}\n");
  const json model = json::parse(stackfile::load_as_written(loading.request).model);
  CHECK(model["services"]["web"]["environment"] == json{"A=3", "Z=1", "B", "N=1"});
  CHECK(model["services"]["web"]["labels"] == json{"z=1", "b=2", "a=1", "c=3"});
}

TEST_CASE("the model as YAML has it: with `models` that are used, and x- keys where they stand",
          "[stackfile][model]") {
  test::Loading loading(
      "services:\n  web: {image: x, models: [m], x-own: {a: 1}, labels: {b: 1}}\n"
      "models: {m: {model: ai/x}, unused: {model: ai/y}}\n");
  const auto spec = loading.load();
  const auto in_yaml = json::parse(stackfile::printed_model(spec, true));
  CHECK(in_yaml["models"] == json{{"m", {{"model", "ai/x"}}}});
  CHECK(in_yaml["services"]["web"]["x-own"] == json{{"a", 1}});
  CHECK_FALSE(in_yaml["services"]["web"].contains("command"));
  const auto in_json = json::parse(stackfile::printed_model(spec, false));
  CHECK_FALSE(in_json.contains("models"));
  CHECK_FALSE(in_json["services"]["web"].contains("x-own"));
}

TEST_CASE("config --no-normalize, --no-path-resolution and --no-consistency leave out what they say",
          "[stackfile][model]") {
  test::Loading loading(R"(services:
  web: {build: ./web, image: web, links: [db], networks: [n], volumes: ["../data:/data"]}
  db: {image: db, networks: [n]}
networks: {n: }
)");
  loading.request.to_run = false;
  const auto shown = [&] { return stackfile::compose_model(loading.load()); };
  loading.request.undone.normalization = true;
  json model = shown();
  CHECK(model["services"]["web"]["build"] == json{{"context", loading.path("web")}});
  CHECK_FALSE(model["services"]["web"].contains("depends_on"));
  CHECK(model["networks"]["n"] == json{{"ipam", json::object()}});

  loading.request.undone = {};
  loading.request.undone.path_resolution = true;
  model = shown();
  CHECK(model["services"]["web"]["build"]["context"] == "./web");
  CHECK(model["services"]["web"]["volumes"][0]["source"] == "../data");

  loading.directory.write("compose.yaml", "services: {web: {networks: [gone], depends_on: [nobody]}}\n");
  loading.request.undone = {};
  CHECK(loading.mistakes() != "loaded");
  loading.request.undone.consistency = true;
  CHECK(shown()["services"]["web"]["networks"].contains("gone"));
}
