#include "daemon/translate/container_request.hpp"

#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/translate/samples.hpp"

using namespace stackd;
using namespace stackd::translate;
using nlohmann::json;
using test::Demo;
using test::difference;
using test::fields_in;
using test::fields_of;
using test::Row;

namespace {

const json k_nothing = json::object();

// What a mount, given as it is stored, becomes in the request.
json told_of_mount(const json& mount, std::vector<std::string> kept = {}) {
  Demo demo;
  const auto before = demo.request();
  demo.set("mounts", json::array({mount}));
  auto in = demo.inputs();
  in.kept_volumes = std::move(kept);
  return difference(before, Demo::request(in));
}

json network_body(const Demo& demo, const std::string& key = "default") {
  return network_request(demo.spec, key, "demo-12345678", "op-1");
}
json volume_body(const Demo& demo) {
  return volume_request(demo.spec, "data", "demo-12345678", "op-1");
}
// The hash of its definition is another test's (definitions_test.cpp).
json without_hash(json body) {
  body["Labels"].erase("dev.stackd.hash");
  return body;
}

}  // namespace

TEST_CASE("every field of a container reaches the engine, or is told here not to be for it",
          "[translate][request]") {
  const auto rows = test::container_rows();
  CHECK(fields_in(rows) == fields_of<model::Container>());
  for (const auto& row : rows) {
    INFO(row.field << ": " << row.value);
    Demo demo;
    const auto before = demo.request();
    demo.set(row.field, row.value);
    CHECK(difference(before, demo.request()) == row.told);
  }
}

TEST_CASE("the fields of a container's parts are all in its table", "[translate][request]") {
  const auto keys_in = [](const std::string& field) {
    std::set<std::string> keys;
    for (const auto& row : test::container_rows())
      if (row.field == field)
        for (const auto& one : row.value.is_array() ? row.value : json::array({row.value}))
          for (const auto& [key, value] : one.items()) keys.insert(key);
    return keys;
  };
  CHECK(keys_in("devices") == fields_of<model::DeviceMapping>());
  CHECK(keys_in("ulimits") == fields_of<model::Ulimit>());
  CHECK(keys_in("logging") == fields_of<model::Logging>());
}

TEST_CASE("C9.4: a container has Compose's labels and stackd's own, and the file's cannot take their place",
          "[translate][request]") {
  Demo demo;
  demo.set("labels", {{"own", "kept"}, {"com.docker.compose.project", "forged"}});
  demo.web().depends_on["db"] = {model::Condition::healthy, true, true};
  demo.web().depends_on["job"].condition = model::Condition::completed_successfully;
  demo.web().depends_on["log"].condition = model::Condition::started;
  auto in = demo.inputs();
  in.number = 2;
  CHECK(Demo::request(in)["Labels"] ==
        json{{"own", "kept"},
             {"com.docker.compose.project", "demo"},
             {"com.docker.compose.service", "web"},
             {"com.docker.compose.container-number", "2"},
             {"com.docker.compose.config-hash", "the-hash"},
             {"com.docker.compose.oneoff", "False"},
             {"com.docker.compose.version", STACKD_VERSION},
             {"com.docker.compose.depends_on",
              "db:service_healthy:true,job:service_completed_successfully:false,log:service_started:false"},
             {"com.docker.compose.image", "sha256:of-the-image"},
             {"com.docker.compose.project.working_dir", "/home/me/demo"},
             {"com.docker.compose.project.config_files",
              "/home/me/demo/compose.yaml,/home/me/demo/compose.override.yaml"},
             {"dev.stackd.stack", "demo-12345678"},
             {"dev.stackd.operation", "op-1"}});
}

TEST_CASE("a service without an image of its own runs the one that is built for it (C9.2)",
          "[translate][request]") {
  Demo demo;
  demo.container().image.clear();
  CHECK(demo.request()["Image"] == "demo-web");
}

// ---- ports

TEST_CASE("every field of a port has its place in the request, or none", "[translate][request]") {
  const std::vector<Row> rows{
      {"key", "http", {{"HostConfig PortBindings 80/tcp 0 HostPort", "9000"}}},  // what `http` was given
      {"target",
       81,
       {{"ExposedPorts 81/tcp", k_nothing},
        {"ExposedPorts 80/tcp", "(gone)"},
        {"HostConfig PortBindings 81/tcp 0 HostIp", ""},
        {"HostConfig PortBindings 81/tcp 0 HostPort", "8080"},
        {"HostConfig PortBindings 80/tcp 0 HostIp", "(gone)"},
        {"HostConfig PortBindings 80/tcp 0 HostPort", "(gone)"}}},
      {"published", 8443, {{"HostConfig PortBindings 80/tcp 0 HostPort", "8443"}}},
      {"published_end", 8090, k_nothing},  // the daemon has chosen one of them (Facts::ports)
      {"host_ip", "127.0.0.1", {{"HostConfig PortBindings 80/tcp 0 HostIp", "127.0.0.1"}}},
      {"protocol",
       "udp",
       {{"ExposedPorts 80/udp", k_nothing},
        {"ExposedPorts 80/tcp", "(gone)"},
        {"HostConfig PortBindings 80/udp 0 HostIp", ""},
        {"HostConfig PortBindings 80/udp 0 HostPort", "8080"},
        {"HostConfig PortBindings 80/tcp 0 HostIp", "(gone)"},
        {"HostConfig PortBindings 80/tcp 0 HostPort", "(gone)"}}},
      {"app_protocol", "http", k_nothing},
      {"mode", "host", k_nothing},  // of a swarm
      {"env", "WEB_PORT", {{"Env", "(gone)"}, {"Env 0", "WEB_PORT=8080"}}},
      {"place", {{"line", 3}}, k_nothing},
  };
  CHECK(fields_in(rows) == fields_of<model::Port>());
  for (const auto& row : rows) {
    INFO(row.field);
    Demo demo;
    demo.facts.ports["web"]["http"] = 9000;
    demo.web().ports.push_back(test::from_json<model::Port>({{"key", "0"}, {"target", 80}}));
    demo.web().ports[0].published = 8080;
    const auto before = demo.request();
    test::set_field(demo.web().ports[0], row.field, row.value);
    CHECK(difference(before, demo.request()) == row.told);
  }
}

TEST_CASE("a replica has the host ports that it was given, and one port of a container can have several",
          "[translate][request]") {
  Demo demo;
  for (const auto* ip : {"127.0.0.1", "::1"})
    demo.web().ports.push_back(test::from_json<model::Port>(
        {{"key", std::to_string(demo.web().ports.size())}, {"target", 80}, {"host_ip", ip}}));
  demo.facts.ports["web"] = {{"0", 9000}, {"1", 9001}, {"0@2", 9010}, {"1@2", 9011}};
  auto in = demo.inputs();
  const auto bindings = [&] { return Demo::request(in)["HostConfig"]["PortBindings"]["80/tcp"]; };
  CHECK(bindings() == json::array({{{"HostIp", "127.0.0.1"}, {"HostPort", "9000"}},
                                   {{"HostIp", "::1"}, {"HostPort", "9001"}}}));
  in.number = 2;
  CHECK(bindings() == json::array({{{"HostIp", "127.0.0.1"}, {"HostPort", "9010"}},
                                   {{"HostIp", "::1"}, {"HostPort", "9011"}}}));
  demo.facts.ports.clear();
  CHECK(bindings()[0]["HostPort"] == "");  // the engine's to choose
}

// ---- mounts

TEST_CASE("each kind of mount becomes what the engine makes the same of", "[translate][request]") {
  struct MountRow {
    const char* sentence;
    json mount, told;
  };
  const auto mount = [](const std::string& at, const json& is) {
    json told;
    for (const auto& [key, value] : is.items()) told["HostConfig Mounts 0 " + key] = value;
    told["HostConfig Mounts 0 Target"] = at;
    if (!is.contains("ReadOnly")) told["HostConfig Mounts 0 ReadOnly"] = false;
    return told;
  };
  const auto bind = [](const std::string& text) { return json{{"HostConfig Binds 0", text}}; };
  const std::vector<MountRow> rows{
      {"a path of this machine, made when it is missing, is a bind",
       {{"type", "bind"}, {"source", "/a"}, {"target", "/b"}},
       bind("/a:/b:rw")},
      {"with its options",
       {{"type", "bind"},
        {"source", "/a"},
        {"target", "/b"},
        {"read_only", true},
        {"propagation", "rslave"},
        {"selinux", "z"}},
       bind("/a:/b:ro,rslave,z")},
      {"one that has to be there is a mount, which the engine refuses otherwise",
       {{"type", "bind"},
        {"source", "/a"},
        {"target", "/b"},
        {"create_host_path", false},
        {"propagation", "shared"},
        {"read_only", true}},
       mount(
           "/b",
           {{"Type", "bind"}, {"Source", "/a"}, {"BindOptions Propagation", "shared"}, {"ReadOnly", true}})},
      {"a path with a colon is a mount, which the engine makes when it is missing",
       {{"type", "bind"}, {"source", "/a: b"}, {"target", "/b"}},
       mount("/b", {{"Type", "bind"}, {"Source", "/a: b"}, {"BindOptions CreateMountpoint", true}})},
      {"what lies below a path of this machine may be left out",
       {{"type", "bind"},
        {"source", "/a"},
        {"target", "/b"},
        {"create_host_path", false},
        {"recursive", "disabled"}},
       mount("/b", {{"Type", "bind"}, {"Source", "/a"}, {"BindOptions NonRecursive", true}})},
      {"or stay writable",
       {{"type", "bind"},
        {"source", "/a"},
        {"target", "/b"},
        {"create_host_path", false},
        {"recursive", "writable"}},
       mount("/b", {{"Type", "bind"}, {"Source", "/a"}, {"BindOptions ReadOnlyNonRecursive", true}})},
      {"or be read-only or nothing",
       {{"type", "bind"},
        {"source", "/a"},
        {"target", "/b"},
        {"create_host_path", false},
        {"recursive", "readonly"}},
       mount("/b", {{"Type", "bind"}, {"Source", "/a"}, {"BindOptions ReadOnlyForceRecursive", true}})},
      {"an image is a mount",
       {{"type", "image"}, {"source", "tool:1"}, {"target", "/b"}, {"subpath", "bin"}},
       mount("/b", {{"Type", "image"}, {"Source", "tool:1"}, {"ImageOptions Subpath", "bin"}})},
      {"a volume that is made for the mount has its labels",
       {{"type", "volume"}, {"source", "data"}, {"target", "/b"}, {"labels", {{"a", "b"}}}},
       mount("/b", {{"Type", "volume"}, {"Source", "demo_data"}, {"VolumeOptions Labels a", "b"}})},
      {"a volume of the file's has the engine's name for it",
       {{"type", "volume"}, {"source", "data"}, {"target", "/b"}, {"read_only", true}},
       mount("/b", {{"Type", "volume"}, {"Source", "demo_data"}, {"ReadOnly", true}})},
      {"with its options",
       {{"type", "volume"}, {"source", "data"}, {"target", "/b"}, {"nocopy", true}, {"subpath", "sub"}},
       mount("/b", {{"Type", "volume"},
                    {"Source", "demo_data"},
                    {"VolumeOptions NoCopy", true},
                    {"VolumeOptions Subpath", "sub"}})},
      {"a volume's label for SELinux is known to binds only",
       {{"type", "volume"},
        {"source", "data"},
        {"target", "/b"},
        {"selinux", "Z"},
        {"nocopy", true},
        {"read_only", true}},
       bind("demo_data:/b:ro,Z,nocopy")},
      {"a volume without a name is the container's own",
       {{"type", "volume"}, {"target", "/b"}},
       {{"Volumes /b", k_nothing}}},
      {"and never read-only, which the engine refuses",
       {{"type", "volume"}, {"target", "/b"}, {"read_only", true}},
       {{"Volumes /b", k_nothing}}},
      {"memory is a mount", {{"type", "tmpfs"}, {"target", "/b"}}, mount("/b", {{"Type", "tmpfs"}})},
      {"with its size and mode",
       {{"type", "tmpfs"}, {"target", "/b"}, {"tmpfs_size", 1024}, {"tmpfs_mode", 448}},
       mount("/b", {{"Type", "tmpfs"}, {"TmpfsOptions SizeBytes", 1024}, {"TmpfsOptions Mode", 448}})},
  };
  std::set<std::string> fields;
  for (const auto& row : rows) {
    INFO(row.sentence << ": " << row.mount);
    CHECK(told_of_mount(row.mount) == row.told);
    for (const auto& [key, value] : row.mount.items()) fields.insert(key);
  }
  CHECK(fields == fields_of<model::Mount>());
}

TEST_CASE("C8.4: a container that takes another's place takes its anonymous volumes too",
          "[translate][request]") {
  const json own{{"type", "volume"}, {"target", "/b"}};
  CHECK(told_of_mount(own, {"0123:/b", "4567:/of/the/image"}) ==
        json{{"Volumes /b", k_nothing},
             {"HostConfig Binds 0", "0123:/b"},
             {"HostConfig Binds 1", "4567:/of/the/image"}});
}

TEST_CASE("what the file has for a path by now goes before the anonymous volume that was there",
          "[translate][request]") {
  CHECK(told_of_mount({{"type", "tmpfs"}, {"target", "/b"}}, {"0123:/b"}) ==
        told_of_mount({{"type", "tmpfs"}, {"target", "/b"}}));
  Demo demo;
  demo.set("tmpfs", {"/b:size=1m"});
  auto in = demo.inputs();
  in.kept_volumes = {"0123:/b"};
  CHECK_FALSE(Demo::request(in)["HostConfig"].contains("Binds"));
}

TEST_CASE(
    "a secret of a file is a bind, whatever its grant says of user and mode, which only its copy could have",
    "[translate][request]") {
  Demo demo;
  const json grant{
      {"source", "by_file"}, {"target", "/own/pw"}, {"uid", "1"}, {"gid", "2"}, {"mode", "0400"}};
  demo.set("secrets", json::array({grant}));
  std::set<std::string> keys;
  for (const auto& [key, value] : grant.items()) keys.insert(key);
  CHECK(keys == fields_of<model::FileGrant>());
  CHECK(demo.request()["HostConfig"]["Binds"] == json{"/home/me/demo/password:/own/pw:ro"});
  demo.spec.secrets["by_file"].file = "/home/me/feat: x/password";
  CHECK(demo.request()["HostConfig"]["Mounts"] == json::array({{{"Type", "bind"},
                                                                {"Source", "/home/me/feat: x/password"},
                                                                {"Target", "/own/pw"},
                                                                {"ReadOnly", true}}}));
}

// ---- networks

TEST_CASE("every field of an attachment is the endpoint's", "[translate][request]") {
  const std::string at = "NetworkingConfig EndpointsConfig demo_default ";
  const std::vector<Row> rows{
      {"aliases",
       {"one", "two"},
       {{at + "Aliases 1", "one"}, {at + "Aliases 2", "two"}, {at + "Aliases 3", "demo-web-1"}}},
      {"ipv4_address", "10.0.0.5", {{at + "IPAMConfig IPv4Address", "10.0.0.5"}}},
      {"ipv6_address", "fd00::5", {{at + "IPAMConfig IPv6Address", "fd00::5"}}},
      {"mac_address", "02:42:ac:11:65:43", {{at + "MacAddress", "02:42:ac:11:65:43"}}},
      {"link_local_ips", {"169.254.8.8"}, {{at + "IPAMConfig LinkLocalIPs 0", "169.254.8.8"}}},
      {"driver_opts", {{"a", "b"}}, {{at + "DriverOpts a", "b"}}},
      {"interface_name", "eth7", {{at + "DriverOpts com.docker.network.endpoint.ifname", "eth7"}}},
      {"gw_priority", 7, {{at + "GwPriority", 7}}},
      {"priority", 10, k_nothing},  // an order, see below
  };
  CHECK(fields_in(rows) == fields_of<model::Attachment>());
  for (const auto& row : rows) {
    INFO(row.field);
    Demo demo;
    const auto before = demo.request();
    test::set_field(demo.container().networks["default"], row.field, row.value);
    CHECK(difference(before, demo.request()) == row.told);
  }
}

TEST_CASE("C9.3: a container is known by its service's name, by its own, and by its aliases on each network",
          "[translate][request]") {
  Demo demo;
  demo.container().networks["other"].aliases = {"side"};
  demo.container().container_name = "web";  // said once, though it is both
  const auto request = container_request(demo.inputs());
  CHECK(request.body["NetworkingConfig"]["EndpointsConfig"]["demo_default"]["Aliases"] == json{"web"});
  CHECK(request.more_networks.at("demo_other")["Aliases"] == json{"web", "side"});
}

TEST_CASE("the network with the highest priority comes first, the others are connected after",
          "[translate][request]") {
  Demo demo;
  demo.container().networks["other"].priority = 100;
  demo.container().networks["unknown"];
  const auto request = container_request(demo.inputs());
  CHECK(request.body["HostConfig"]["NetworkMode"] == "demo_other");
  CHECK(request.body["NetworkingConfig"]["EndpointsConfig"].size() == 1);
  CHECK(request.more_networks.size() == 2);
  CHECK(request.more_networks.contains("demo_default"));
  CHECK(request.more_networks.contains("unknown"));
}

TEST_CASE("a namespace or volumes of a service that has no container stay as they are written",
          "[translate][request]") {
  Demo demo;
  demo.set("network_mode", "service:db");
  demo.set("volumes_from", {"db"});
  auto in = demo.inputs();
  in.container_of.clear();
  const auto host = Demo::request(in)["HostConfig"];
  CHECK(host["NetworkMode"] == "service:db");
  CHECK(host["VolumesFrom"] == json{"db"});
}

TEST_CASE("a link names a service by its alias, else its name, and by web-1 and demo-web-1, each once",
          "[translate][request]") {
  Demo demo;
  demo.container().links = {"db", "db:database", "nobody:x"};
  CHECK(demo.request()["NetworkingConfig"]["EndpointsConfig"]["demo_default"]["Links"] ==
        json{"demo-db-1:db", "demo-db-1:db-1", "demo-db-1:demo-db-1", "demo-db-1:database", "nobody:x"});
}

// ---- healthcheck

TEST_CASE("every field of a healthcheck is the engine's, times in nanoseconds", "[translate][request]") {
  const std::vector<Row> rows{
      {"test", {"NONE"}, {{"Healthcheck Test", "(gone)"}, {"Healthcheck Test 0", "NONE"}}},
      {"interval", 30000, {{"Healthcheck Interval", 30000000000}}},
      {"timeout", 1, {{"Healthcheck Timeout", 1000000}}},
      {"start_period", 5000, {{"Healthcheck StartPeriod", 5000000000}}},
      {"start_interval", 500, {{"Healthcheck StartInterval", 500000000}}},
      {"retries", 0, {{"Healthcheck Retries", 0}}},
  };
  CHECK(fields_in(rows) == fields_of<model::Healthcheck>());
  for (const auto& row : rows) {
    INFO(row.field);
    Demo demo;
    demo.container().healthcheck.emplace();  // no test: the image's
    const auto before = demo.request();
    CHECK(before["Healthcheck"] == json{{"Test", json::array()}});
    test::set_field(*demo.container().healthcheck, row.field, row.value);
    CHECK(difference(before, demo.request()) == row.told);
  }
}

// ---- references and variables

TEST_CASE("references are resolved wherever they stand, and what Compose has left of dollars stays",
          "[translate][request]") {
  Demo demo;
  demo.facts.ports["db"]["0"] = 9000;
  demo.db().ports.push_back(test::from_json<model::Port>({{"key", "0"}, {"target", 5432}}));
  demo.set("command", {"x", "${services.db.host_port}", "$$ $${HOME} ${HOME}", "$${services.db.host_port}"});
  demo.set("labels", {{"url", "http://${stack.name}"}});
  demo.set("extra_hosts", {"${stack.id}:10.0.0.1"});
  const auto request = demo.request();
  CHECK(request["Cmd"] == json{"x", "9000", "$$ $${HOME} ${HOME}", "$9000"});
  CHECK(request["Labels"]["url"] == "http://demo");
  CHECK(request["HostConfig"]["ExtraHosts"] == json{"demo-12345678:10.0.0.1"});
  demo.set("user", "${services.nope.host_port}");
  CHECK_THROWS_AS(demo.request(), util::Error);
}

TEST_CASE("a container's variables are what the files say, resolved once", "[translate][request]") {
  Demo demo;
  demo.facts.caller = {{"HOME", "/home/me"}};
  demo.facts.env_from["service:web"] = {{"PRINTED", "${services.nope.host_port} $${x}"}};  // X16
  demo.web().environment.env = {{"A", "1"}, {"GONE", std::nullopt}, {"URL", "${stack.name}"}};
  CHECK(demo.request()["Env"] == json{"A=1", "PRINTED=${services.nope.host_port} $${x}", "URL=demo", "GONE"});
}

TEST_CASE("a variable without a value takes the image's away", "[translate][request]") {
  Demo demo;
  demo.web().environment.env = {{"A", "1"}, {"GONE", std::nullopt}};
  CHECK(demo.request()["Env"] == json{"A=1", "GONE"});
}

// ---- networks and volumes of the stack

TEST_CASE("every field of a network is in its request, or has made that there is none",
          "[translate][request]") {
  const std::vector<Row> rows{
      {"name", "mine", {{"Name", "mine"}}},
      {"external", true, k_nothing},  // no such network is ever made
      {"driver", "overlay", {{"Driver", "overlay"}}},
      {"driver_opts", {{"a", "b"}}, {{"Options a", "b"}}},
      {"labels", {{"own", "x"}, {"com.docker.compose.network", "forged"}}, {{"Labels own", "x"}}},
      {"internal", true, {{"Internal", true}}},
      {"attachable", true, {{"Attachable", true}}},
      {"enable_ipv4", false, {{"EnableIPv4", false}}},
      {"enable_ipv6", false, {{"EnableIPv6", false}}},
      {"ipam_driver", "null", {{"IPAM Driver", "null"}}},
      {"ipam",
       json::array({{{"subnet", "10.9.0.0/16"},
                     {"gateway", "10.9.0.1"},
                     {"ip_range", "10.9.8.0/24"},
                     {"aux_addresses", {{"router", "10.9.0.2"}}}},
                    {{"subnet", "fd00:9::/64"}}}),
       {{"IPAM Driver", "default"},
        {"IPAM Config 0 Subnet", "10.9.0.0/16"},
        {"IPAM Config 0 Gateway", "10.9.0.1"},
        {"IPAM Config 0 IPRange", "10.9.8.0/24"},
        {"IPAM Config 0 AuxiliaryAddresses router", "10.9.0.2"},
        {"IPAM Config 1 Subnet", "fd00:9::/64"}}},
  };
  CHECK(fields_in(rows) == fields_of<model::Network>());
  CHECK(fields_of<model::Network::Pool>().size() == 4);
  for (const auto& row : rows) {
    INFO(row.field);
    Demo demo;
    const auto before = without_hash(network_body(demo));
    test::set_field(demo.spec.networks["default"], row.field, row.value);
    CHECK(difference(before, without_hash(network_body(demo))) == row.told);
  }
  const Demo demo;
  CHECK(without_hash(network_body(demo, "other")) == json{{"Name", "demo_other"},
                                                          {"CheckDuplicate", true},
                                                          {"Driver", "bridge"},
                                                          {"Labels",
                                                           {{"com.docker.compose.project", "demo"},
                                                            {"com.docker.compose.network", "other"},
                                                            {"com.docker.compose.version", STACKD_VERSION},
                                                            {"dev.stackd.stack", "demo-12345678"},
                                                            {"dev.stackd.operation", "op-1"}}}});
}

TEST_CASE("every field of a volume is in its request, or has made that there is none",
          "[translate][request]") {
  const std::vector<Row> rows{
      {"name", "mine", {{"Name", "mine"}}},
      {"external", true, k_nothing},
      {"driver", "nfs", {{"Driver", "nfs"}}},
      {"driver_opts", {{"type", "tmpfs"}}, {{"DriverOpts type", "tmpfs"}}},
      {"labels", {{"own", "x"}, {"com.docker.compose.volume", "forged"}}, {{"Labels own", "x"}}},
  };
  CHECK(fields_in(rows) == fields_of<model::Volume>());
  for (const auto& row : rows) {
    INFO(row.field);
    Demo demo;
    const auto before = without_hash(volume_body(demo));
    test::set_field(demo.spec.volumes["data"], row.field, row.value);
    CHECK(difference(before, without_hash(volume_body(demo))) == row.told);
  }
  CHECK(without_hash(volume_body({})) == json{{"Name", "demo_data"},
                                              {"Labels",
                                               {{"com.docker.compose.project", "demo"},
                                                {"com.docker.compose.volume", "data"},
                                                {"com.docker.compose.version", STACKD_VERSION},
                                                {"dev.stackd.stack", "demo-12345678"},
                                                {"dev.stackd.operation", "op-1"}}}});
}
