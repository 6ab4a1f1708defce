#include "daemon/stackfile/compose_model.hpp"

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
