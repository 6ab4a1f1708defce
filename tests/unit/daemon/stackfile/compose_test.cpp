#include "daemon/resolve/environment.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;
using test::Loading;
using test::one_service;
using Strings = std::vector<std::string>;

namespace {

model::Service web(const std::string& lines) {
  return *Loading(one_service(lines)).load().find("web");
}
model::Container container(const std::string& lines) {
  return *web(lines).container;
}
std::string mistakes(const std::string& lines) {
  return Loading(one_service(lines)).mistakes();
}

std::string show(const model::Port& port) {
  return port.key + "=" + port.host_ip + ":" + std::to_string(port.published) +
         (port.published_end ? "-" + std::to_string(port.published_end) : "") + ":" +
         std::to_string(port.target) + "/" + port.protocol;
}

Strings ports(const std::string& list) {
  Strings out;
  for (const auto& port : web("    ports: " + list + "\n").ports) out.push_back(show(port));
  return out;
}

}  // namespace

TEST_CASE("ports: short forms", "[stackfile][compose]") {
  CHECK(ports("['80']") == Strings{"0=:0:80/tcp"});
  CHECK(ports("[8080:80, '127.0.0.1:53:53/udp']") == Strings{"0=:8080:80/tcp", "1=127.0.0.1:53:53/udp"});
  CHECK(ports("['3000-3001:80-81']") == Strings{"0=:3000:80/tcp", "1=:3001:81/tcp"});
  CHECK(ports("['9000-9010:80']") == Strings{"0=:9000-9010:80/tcp"});
  CHECK(ports("['127.0.0.1::80', '[::1]:81:81']") == Strings{"0=127.0.0.1:0:80/tcp", "1=::1:81:81/tcp"});
  CHECK(ports("[80-81]") == Strings{"0=:0:80/tcp", "1=:0:81/tcp"});
}

TEST_CASE("ports: the long form, with a name as key", "[stackfile][compose]") {
  CHECK(
      ports(
          "[{name: http, target: 80, published: '8080', host_ip: 127.0.0.1, protocol: udp}, {target: 81}]") ==
      Strings{"http=127.0.0.1:8080:80/udp", "1=:0:81/tcp"});
  CHECK(ports("[{target: 80, published: 8000-8001}]") == Strings{"0=:8000-8001:80/tcp"});
}

TEST_CASE("ports: mistakes", "[stackfile][compose]") {
  CHECK(mistakes("    ports: ['a:80']\n").find("its host port is not a number") != std::string::npos);
  CHECK(mistakes("    ports: ['80:99999']\n").find("its container port is not a number") !=
        std::string::npos);
  CHECK(mistakes("    ports: ['1-2:3-5']\n").find("two ranges differ in length") != std::string::npos);
  CHECK(mistakes("    ports: ['80/icmp']\n").find("unknown protocol 'icmp'") != std::string::npos);
  CHECK(mistakes("    ports: [{published: 80}]\n").find("needs a 'target'") != std::string::npos);
  CHECK(mistakes("    ports: [{target: 80, pubished: 80}]\n").find("did you mean 'published'?") !=
        std::string::npos);
  CHECK(mistakes("    ports: 80\n").find("'ports': expected a list") != std::string::npos);
}

TEST_CASE("ports: one that is written twice is one, and protocols are of any case", "[stackfile][compose]") {
  const auto ports = web("    ports: ['80:80/TCP', '80:80', {target: 80, published: '80', protocol: Tcp}, "
                         "'127.0.0.1:81:80']\n")
                         .ports;
  REQUIRE(ports.size() == 2);
  CHECK(ports[0].protocol == "tcp");
  CHECK(ports[1].published == 81);
  Loading loading(one_service("    ports: ['80:80/UDP']\n"));
  loading.directory.write("compose.override.yaml", "services: {web: {ports: ['80:80/udp']}}\n");
  CHECK(loading.load().find("web")->ports.size() == 1);
}

TEST_CASE("volumes: paths become absolute, names stay, options are read", "[stackfile][compose]") {
  Loading loading(
      one_service("    volumes:\n"
                  "      - ./data/../app:/app:ro,z\n"
                  "      - ~/x:/home\n"
                  "      - named:/var/lib/\n"
                  "      - /anonymous\n"
                  "      - /etc/hosts:/h:rshared\n"
                  "      - {type: bind, source: ., target: /src, bind: {create_host_path: false}}\n"
                  "      - {type: tmpfs, target: /t, tmpfs: {size: 1m, mode: 01777}}\n"
                  "      - {type: volume, source: named, target: /v, volume: {nocopy: true, subpath: s}}\n") +
      "volumes: {named: }\n");
  loading.request.environment["HOME"] = "/home/dev";
  const auto mounts = loading.load().find("web")->container->mounts;
  REQUIRE(mounts.size() == 8);
  CHECK(mounts[0].type == "bind");
  CHECK(mounts[0].source == loading.path("app"));
  CHECK(mounts[0].read_only);
  CHECK(mounts[0].selinux == "z");
  CHECK(mounts[0].create_host_path);
  CHECK(mounts[1].source == "/home/dev/x");
  CHECK(mounts[2].type == "volume");
  CHECK(mounts[2].source == "named");
  CHECK(mounts[2].target == "/var/lib");
  CHECK(mounts[3].source.empty());
  CHECK(mounts[3].target == "/anonymous");
  CHECK(mounts[4].propagation == "rshared");
  CHECK(mounts[5].source == loading.path("").substr(0, loading.path("").size() - 1));
  CHECK_FALSE(mounts[5].create_host_path);
  CHECK(container("    volumes: [{type: bind, source: ., target: /a}, {type: bind, source: ., target: /b, "
                  "bind: {selinux: z}}]\n")
            .mounts.at(1)
            .create_host_path);
  CHECK(mounts[6].tmpfs_size == 1 << 20);
  CHECK(mounts[6].tmpfs_mode == 01777);
  CHECK(mounts[7].nocopy);
  CHECK(mounts[7].subpath == "s");
}

TEST_CASE("volumes: mistakes", "[stackfile][compose]") {
  CHECK(mistakes("    volumes: [data:/x]\n").find("'volumes' at the top level does not declare") !=
        std::string::npos);
  CHECK(mistakes("    volumes: ['./a:b']\n").find("not an absolute path") != std::string::npos);
  CHECK(mistakes("    volumes: ['./a:/b:rw:x']\n").find("expected [SOURCE:]TARGET[:OPTIONS]") !=
        std::string::npos);
  CHECK(mistakes("    volumes: ['d:/data']\n").find("a drive of Windows") != std::string::npos);
  CHECK(mistakes("    volumes: [{type: image, target: /x}]\n").find("needs a 'source', the image") !=
        std::string::npos);
  // As with Compose, which knows no more of them.
  CHECK(mistakes("    volumes: ['./a:/b:fast']\n") == "loaded");
}

TEST_CASE("C1.1: a string command is split into words, a list is used as it is", "[stackfile][compose]") {
  const auto split = container("    command: sh -c \"echo 'a b'\" | cat\n    entrypoint: ['a b', c]\n");
  CHECK(*split.command == Strings{"sh", "-c", "echo 'a b'"});  // what would be a shell's is cut off
  CHECK(*split.entrypoint == Strings{"a b", "c"});
  CHECK_FALSE(container("").command);
  CHECK_FALSE(container("    command: null\n").command);
  CHECK(container("    command: []\n").command->empty());
  CHECK(mistakes("    command: \"it's\"\n").find("web', 'command': ") != std::string::npos);
}

TEST_CASE("environment: list and map, bare names from the caller, env_file under it",
          "[stackfile][compose]") {
  Loading loading(
      one_service("    environment: [A=1, B, C, D=]\n"
                  "    env_file:\n"
                  "      - base.env\n"
                  "      - {path: more.env, required: true}\n"
                  "      - {path: none.env, required: false}\n"));
  loading.request.environment = {{"B", "caller"}};
  loading.directory.write("base.env", "A=file\nX=1\nY=$X\n");
  loading.directory.write("more.env", "X=2\n");
  const auto environment = loading.load().find("web")->environment;
  CHECK(environment.env == model::Environment{{"A", "1"}, {"B", "caller"}, {"C", std::nullopt}, {"D", ""}});
  CHECK(environment.file_env == model::Environment{{"A", "file"}, {"X", "2"}, {"Y", "1"}});
  CHECK(web("    environment: {T: true, N: 1.50}\n").environment.env ==
        model::Environment{{"T", "true"}, {"N", "1.5"}});
  CHECK(mistakes("    env_file: missing.env\n").find("cannot read env_file") != std::string::npos);
}

TEST_CASE("depends_on: list, map and what is implied", "[stackfile][compose]") {
  const std::string others =
      "  db: {image: a, healthcheck: {test: x}}\n  job: {image: b}\n  side: {image: c}\n";
  const auto load = [&](const std::string& lines) {
    return *Loading(one_service(lines) + others).load().find("web");
  };
  const auto list = load("    depends_on: [db, job]\n");
  CHECK(list.depends_on_given);
  CHECK(list.depends_on.at("db").condition == model::Condition::started);
  const auto map = load(
      "    depends_on:\n      db: {condition: service_healthy, restart: true}\n"
      "      job: {condition: service_completed_successfully, required: false}\n");
  CHECK(map.depends_on.at("db").condition == model::Condition::healthy);
  CHECK(map.depends_on.at("db").restart);
  CHECK(map.depends_on.at("job").condition == model::Condition::completed_successfully);
  CHECK_FALSE(map.depends_on.at("job").required);
  const auto implied = load("    network_mode: service:side\n    volumes_from: [job:ro]\n");
  CHECK(implied.depends_on.at("side").restart);
  CHECK(implied.depends_on.count("job") == 1);
  CHECK_FALSE(implied.depends_on_given);
  CHECK(mistakes("    depends_on: {db: {condition: service_healty}}\n")
            .find("did you mean 'service_healthy'?") != std::string::npos);
}

TEST_CASE("networks: the default one, aliases and addresses; the top level's names", "[stackfile][compose]") {
  const auto spec =
      Loading(one_service("    networks:\n      back: {aliases: [w], ipv4_address: 10.0.0.2, priority: 5}\n"
                          "      front:\n") +
              "  other: {image: x}\n"
              "  alone: {image: x, network_mode: none}\n"
              "networks:\n"
              "  back: {internal: true, ipam: {config: [{subnet: 10.0.0.0/24, gateway: 10.0.0.1}]}}\n"
              "  front: {external: true, name: proxy}\n")
          .load();
  const auto& networks = spec.find("web")->container->networks;
  CHECK(networks.at("back").aliases == Strings{"w"});
  CHECK(networks.at("back").ipv4_address == "10.0.0.2");
  CHECK(networks.count("front") == 1);
  CHECK(spec.find("other")->container->networks.count("default") == 1);
  CHECK(spec.find("alone")->container->networks.empty());
  CHECK(spec.networks.at("back").name == "demo_back");
  CHECK(spec.networks.at("back").ipam.at(0).subnet == "10.0.0.0/24");
  CHECK(spec.networks.at("front").name == "proxy");
  CHECK(spec.networks.at("front").external);
  CHECK(spec.networks.at("default").name == "demo_default");
  CHECK(mistakes("    networks: [bck]\nnetworks: {back: }\n").find("did you mean 'back'?") !=
        std::string::npos);
  CHECK(mistakes("    networks: [default]\n    network_mode: host\n").find("not both") != std::string::npos);
}

TEST_CASE("build: secrets, agents and more contexts, in every form", "[stackfile][compose]") {
  Loading loading(
      "services:\n  web:\n    build:\n      context: .\n      secrets: [one, {source: one, target: two}]\n"
      "      ssh: [default, key=./agent]\n      additional_contexts: {d: ./dir, i: 'docker-image://x'}\n"
      "      ulimits: {nofile: 5, nproc: {soft: 1, hard: 2}}\n      cache_to: ['type=inline']\n"
      "      entitlements: [network.host]\n      privileged: true\nsecrets: {one: {file: ./f}}\n");
  const auto spec = loading.load();
  CHECK(spec.warnings.empty());
  const auto& build = *spec.find("web")->container->build;
  REQUIRE(build.secrets.size() == 2);
  CHECK(build.secrets[0].id == "one");
  CHECK(build.secrets[1].id == "two");
  CHECK(build.secrets[1].source == "one");
  CHECK(build.ssh == std::map<std::string, std::string>{{"default", ""}, {"key", loading.path("agent")}});
  CHECK(build.additional_contexts.at("d") == loading.path("dir"));
  CHECK(build.additional_contexts.at("i") == "docker-image://x");
  REQUIRE(build.ulimits.size() == 2);
  CHECK(build.ulimits[1].hard == 2);
  CHECK(build.privileged);
}

TEST_CASE("build: a string or a mapping", "[stackfile][compose]") {
  Loading loading(
      "services:\n  web: {build: ./app}\n  api:\n    build:\n      context: .\n      dockerfile: D\n"
      "      args: [A=1, B]\n      target: dev\n      cache_from: [x]\n      no_cache: true\n"
      "  git: {build: 'https://example.com/x.git#main'}\n");
  loading.request.environment = {{"B", "2"}};
  const auto spec = loading.load();
  CHECK(spec.find("web")->container->build->context == loading.path("app"));
  const auto& build = *spec.find("api")->container->build;
  CHECK(build.context == loading.directory.path().string());
  CHECK(build.dockerfile == "D");
  CHECK(build.args == model::Environment{{"A", "1"}, {"B", "2"}});
  CHECK(build.target == "dev");
  CHECK(build.no_cache);
  CHECK(spec.find("git")->container->build->context == "https://example.com/x.git#main");
  CHECK(mistakes("    build: {contxt: .}\n").find("did you mean 'context'?") != std::string::npos);
  loading.directory.write("compose.yaml", "services:\n  web:\n    build: {context: ., isolation: hyperv}\n");
  CHECK(loading.load().warnings ==
        Strings{"compose.yaml:3:36: service 'web', 'build': 'isolation' has no effect on the build"});
  loading.request.to_run = false;
  CHECK(loading.load().warnings.empty());
}

TEST_CASE("healthcheck: string, list, disabled", "[stackfile][compose]") {
  const auto check = *container(
                          "    healthcheck: {test: curl -f x, interval: 1m30s, retries: 3, start_period: 5s, "
                          "start_interval: 500ms}\n")
                          .healthcheck;
  CHECK(check.test == Strings{"CMD-SHELL", "curl -f x"});
  CHECK(check.interval == model::Milliseconds(90'000));
  CHECK(check.start_interval == model::Milliseconds(500));
  CHECK(check.retries == 3);
  CHECK(container("    healthcheck: {test: [CMD, a, b]}\n").healthcheck->test == Strings{"CMD", "a", "b"});
  CHECK(container("    healthcheck: {disable: true}\n").healthcheck->disabled());
  CHECK(mistakes("    healthcheck: {test: [curl, x]}\n").find("begins with CMD, CMD-SHELL or NONE") !=
        std::string::npos);
  CHECK(mistakes("    healthcheck: {interval: 5}\n").find("expected a duration") != std::string::npos);
}

TEST_CASE("C6.10: start_interval needs a start_period", "[stackfile][compose]") {
  CHECK(mistakes("    healthcheck: {test: x, start_interval: 1s}\n")
            .find("'start_interval' needs a 'start_period'") != std::string::npos);
}

TEST_CASE("limits: of the service, and of deploy", "[stackfile][compose]") {
  const auto own = container(
      "    mem_limit: 512m\n    cpus: 1.5\n    pids_limit: -1\n    memswap_limit: -1\n"
      "    ulimits: {nofile: {soft: 1, hard: 2}, nproc: 5}\n    cpu_period: 100ms\n");
  CHECK(own.mem_limit == 512LL << 20);
  CHECK(own.cpus == 1.5);
  CHECK(own.pids_limit == -1);
  CHECK(own.cpu_period == 100'000);
  CHECK(own.ulimits.at(0).hard == 2);
  CHECK(own.ulimits.at(1).soft == 5);
  const auto deploy = container(
      "    deploy:\n      replicas: 3\n      restart_policy: {condition: on-failure, max_attempts: 2}\n"
      "      resources: {limits: {cpus: '0.5', memory: 1g, pids: 10}, reservations: {memory: 1m}}\n");
  CHECK(deploy.scale == 3);
  CHECK(deploy.cpus == 0.5);
  CHECK(deploy.mem_limit == 1LL << 30);
  CHECK(deploy.pids_limit == 10);
  CHECK(deploy.mem_reservation == 1 << 20);
  CHECK(deploy.restart == "on-failure:2");
  const auto restart = [](const std::string& policy) {
    return container("    restart: always\n    deploy: {restart_policy: {" + policy + "}}\n").restart;
  };
  CHECK(restart("condition: none") == "no");
  CHECK(restart("condition: on-failure") == "on-failure");
  CHECK(restart("condition: unless-stopped") == "unless-stopped");
  CHECK(restart("max_attempts: 2") == "no");
  CHECK(mistakes("    scale: 2\n    deploy: {replicas: 3}\n").find("differ; give one of them") !=
        std::string::npos);
  CHECK(mistakes("    cpus: 1\n    deploy: {resources: {limits: {cpus: 2}}}\n").find("differs from") !=
        std::string::npos);
}

TEST_CASE("secrets and configs: grants and sources", "[stackfile][compose]") {
  Loading loading(
      one_service(
          "    secrets: [pw, {source: key, target: k, uid: '1', mode: 0440}]\n    configs: [conf]\n") +
      "secrets:\n  pw: {file: ./pw.txt}\n  key: {environment: KEY}\n"
      "configs: {conf: {content: 'a=$NAME'}}\n");
  loading.directory.write(".env", "KEY=from .env\nNAME=n\n");
  const auto spec = loading.load();
  const auto& grants = spec.find("web")->container->secrets;
  CHECK(grants.at(0).target == "/run/secrets/pw");
  CHECK(grants.at(1).target == "/run/secrets/k");
  CHECK(grants.at(1).mode == "0440");
  CHECK(spec.find("web")->container->configs.at(0).target == "/conf");
  CHECK(spec.secrets.at("pw").file == loading.path("pw.txt"));
  CHECK(spec.secrets.at("key").content == "from .env");
  CHECK(spec.configs.at("conf").content == "a=n");
  CHECK(mistakes("    secrets: [s]\nsecrets: {s: {}}\n").find("give one of 'file'") != std::string::npos);
  CHECK(mistakes("    secrets: [s]\nsecrets: {s: {external: true}}\n").find("is for a swarm") !=
        std::string::npos);
  CHECK(mistakes("    secrets: [s]\n").find("'secrets' at the top level does not declare") !=
        std::string::npos);
}

TEST_CASE("the other keys of a service", "[stackfile][compose]") {
  const auto all = container(
      "    user: 1000:1000\n    working_dir: /app\n    hostname: h\n    restart: unless-stopped\n    "
      "stop_signal: SIGINT\n"
      "    stop_grace_period: 1m30s\n    labels: [a=1, b]\n    sysctls: {net.x: 1}\n    expose: [80, "
      "90-91]\n    cap_add: [NET_ADMIN]\n"
      "    extra_hosts: ['a=1.2.3.4', 'b:[::1]']\n    dns: 8.8.8.8\n    tmpfs: /run\n    init: true\n    "
      "privileged: 'yes'\n"
      "    devices: ['/dev/a:/dev/b:r', /dev/c]\n    logging: {driver: json-file, options: {max-size: 10m}}\n"
      "    pull_policy: if_not_present\n    shm_size: 64m\n    tty: true\n    x-mine: [1]\n    attach: "
      "false\n");
  CHECK(all.user == "1000:1000");
  CHECK(all.restart == "unless-stopped");
  CHECK(all.stop_grace_period == model::Milliseconds(90'000));
  CHECK(all.labels == std::map<std::string, std::string>{{"a", "1"}, {"b", ""}});
  CHECK(all.sysctls.at("net.x") == "1");
  CHECK(all.expose == Strings{"80", "90-91"});
  CHECK(all.extra_hosts == Strings{"a:1.2.3.4", "b:::1"});
  CHECK(all.dns == Strings{"8.8.8.8"});
  CHECK(all.tmpfs == Strings{"/run"});
  CHECK(all.init == true);
  CHECK(all.privileged);
  CHECK(all.devices.at(0).permissions == "r");
  CHECK(all.devices.at(1).container == "/dev/c");
  CHECK(all.logging->options.at("max-size") == "10m");
  CHECK(all.pull_policy == "missing");
  CHECK(all.shm_size == 64 << 20);
  CHECK(all.tty);
}

TEST_CASE("mistakes name the place, what was expected, and the nearest key", "[stackfile][compose]") {
  Loading loading(
      "services:\n  web:\n    imgae: nginx\n    privileged: [a]\n    gpus: some\n    restart: "
      "sometimes\nvolums: {}\n");
  CHECK(loading.mistakes() ==
        "compose.yaml:6:14: service 'web', 'restart': expected no, always, unless-stopped or "
        "on-failure[:TIMES], found "
        "'sometimes'\n"
        "compose.yaml:4:17: service 'web', 'privileged': expected true or false, found a list\n"
        "compose.yaml:5:11: service 'web', 'gpus': expected all or a list, found 'some'\n"
        "compose.yaml:3:5: unknown key 'imgae' in service 'web', did you mean 'image'?\n"
        "compose.yaml:2:3: service 'web' has neither an 'image' nor a 'build'\n"
        "compose.yaml:7:1: unknown key 'volums' in the file, did you mean 'volumes'?\n");
}

TEST_CASE("stackd's own keys in a compose.yaml are pointed to x-stackd", "[stackfile][compose]") {
  CHECK(mistakes("    ready_when: {tcp: 80}\n").find("write it under 'x-stackd'") != std::string::npos);
  CHECK(mistakes("lifecycle: {before_up: [true]}\n").find("write it under 'x-stackd'") != std::string::npos);
}

TEST_CASE("Compose's profiles leave services out until they are chosen", "[stackfile][compose]") {
  const std::string text =
      "services:\n  web: {image: a}\n  debug: {image: b, profiles: [debug, tools]}\n  slow: {image: c, "
      "profiles: [slow]}\n";
  Loading loading(text);
  CHECK(loading.load().services.size() == 1);
  CHECK(loading.load().disabled == Strings{"debug", "slow"});
  loading.request.profile = "tools, slow";
  CHECK(loading.load().services.size() == 3);
  loading.request.profile = "";
  loading.request.environment["COMPOSE_PROFILES"] = "debug";
  CHECK(loading.load().find("debug"));
  CHECK_FALSE(loading.load().find("slow"));
  loading.request.services = {"slow"};
  CHECK(loading.load().find("slow"));
  loading.request.environment["COMPOSE_PROFILES"] = "*";
  CHECK(loading.load().disabled.empty());
}

TEST_CASE("C6.6: a required dependency that profiles leave out is an error that names them",
          "[stackfile][compose]") {
  const std::string text =
      "services:\n  web: {image: a, depends_on: {db: {condition: service_started, required: REQ}}}\n"
      "  db: {image: b, profiles: [data, all]}\n";
  const auto with = [&](const std::string& word) {
    std::string copy = text;
    return copy.replace(copy.find("REQ"), 3, word);
  };
  CHECK(Loading(with("true")).mistakes().find("starts only with profile data or all") != std::string::npos);
  CHECK(Loading(with("false")).mistakes() == "loaded");
}
