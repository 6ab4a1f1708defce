#include "daemon/compose/order.hpp"

#include <string>
#include <vector>

#include "tests/support/catch.hpp"

using namespace stackd::compose;
using nlohmann::json;

namespace {

const json k_model = json::parse(R"({
  "name": "demo",
  "services": {"web": {
    "command": null, "image": "x", "entrypoint": ["sh"], "x-own": {"b": 1, "a": 2},
    "ulimits": {"nofile": {"hard": 2, "soft": 1}, "nproc": 5},
    "ports": [{"target": 80, "mode": "ingress", "protocol": "tcp", "published": "80"}],
    "blkio_config": {"device_read_bps": [{"Path": "/dev/sda", "Rate": "1"}]},
    "deploy": {"resources": {}, "placement": {}, "replicas": 2},
    "healthcheck": {}
  }},
  "networks": {"default": {"ipam": {}, "name": "demo_default"}},
  "configs": {"c": {"content": "a", "name": "demo_c"}},
  "x-top": 1
})");

}  // namespace

TEST_CASE("JSON has the top level by name and the rest in the order of the tables", "[compose][order]") {
  CHECK(in_order(k_model).dump() ==
        R"({"configs":{"c":{"name":"demo_c","content":"a"}},"name":"demo",)"
        R"("networks":{"default":{"name":"demo_default","ipam":{}}},)"
        R"("services":{"web":{"blkio_config":{"device_read_bps":[{"Path":"/dev/sda","Rate":"1"}]},)"
        R"("command":null,"deploy":{"replicas":2,"resources":{},"placement":{}},"entrypoint":["sh"],)"
        R"("healthcheck":{},"image":"x",)"
        R"("ports":[{"mode":"ingress","target":80,"published":"80","protocol":"tcp"}],)"
        R"("ulimits":{"nofile":{"soft":1,"hard":2},"nproc":5},"x-own":{"a":2,"b":1}}},"x-top":1})");
}

TEST_CASE("YAML has services first, and not what JSON shows empty for want of a value", "[compose][order]") {
  CHECK(
      in_yaml_order(k_model).dump() ==
      R"({"name":"demo","services":{"web":{"blkio_config":{"device_read_bps":[{"path":"/dev/sda","rate":"1"}]},)"
      R"("deploy":{"replicas":2},"entrypoint":["sh"],"healthcheck":{},"image":"x",)"
      R"("ports":[{"mode":"ingress","target":80,"published":"80","protocol":"tcp"}],)"
      R"("ulimits":{"nofile":{"soft":1,"hard":2},"nproc":5},"x-own":{"a":2,"b":1}}},)"
      R"("networks":{"default":{"name":"demo_default"}},"configs":{"c":{"name":"demo_c","content":"a"}},"x-top":1})");
}

TEST_CASE("names are sorted as people count, what is no letter first", "[compose][order]") {
  const std::vector<std::string> sorted{"_a",  "1",  "2",   "10",   "A",  "a", "a1",
                                        "a1b", "a2", "a10", "a010", "ab", "b"};
  json model = json::object();
  for (const auto& name : sorted) model[name] = json{{"z10", 1}, {"z9", 2}};
  std::vector<std::string> names;
  const auto in_order = in_name_order(model);
  for (const auto& [name, value] : in_order.items()) {
    names.push_back(name);
    CHECK(value.dump() == R"({"z9":2,"z10":1})");
  }
  CHECK(names == sorted);
}
