#include "daemon/compose/printed.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/support/catch.hpp"
#include "tests/support/source_root.hpp"

using namespace stackd;
using namespace stackd::compose;
using nlohmann::json;

TEST_CASE("durations are read and written as Go does", "[compose][printed]") {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"90s", "1m30s"},  {"1h", "1h0m0s"},     {"1.5s", "1.5s"},    {"100ms", "100ms"},
      {"1d", "24h0m0s"}, {"1w2d", "216h0m0s"}, {"1400us", "1.4ms"}, {"30ns", "30ns"},
      {"0s", "0s"},      {"0", "0s"},          {"-1m", "-1m0s"}};
  for (const auto& [in, out] : rows) {
    INFO(in);
    REQUIRE(parse_span(in));
    CHECK(span_text(*parse_span(in)) == out);
  }
  for (const char* none : {"", "5", "1x", "s", "1 s", "-"}) {
    INFO(none);
    CHECK_FALSE(parse_span(none));
  }
}

TEST_CASE("each kind of value is printed as Docker Compose prints it", "[compose][printed]") {
  const std::vector<std::pair<std::string, std::string>> rows{
      // what is empty, zero or false is left out …
      {R"({"image": "", "privileged": false, "cpu_shares": 0, "mem_limit": 0, "cap_add": [], "labels": {}})",
       "{}"},
      // … unless it says something that way
      {R"({"init": false, "scale": 0, "stop_grace_period": "0s"})",
       R"({"init": false, "scale": 0, "stop_grace_period": "0s"})"},
      {R"({"command": "a 'b c'", "entrypoint": []})", R"({"command": ["a", "b c"], "entrypoint": []})"},
      {R"({"mem_limit": "1gb", "shm_size": 64, "memswap_limit": -1})",
       R"({"mem_limit": "1073741824", "shm_size": "64", "memswap_limit": "-1"})"},
      {R"({"cpus": "0.1", "cpu_percent": 12.5})", R"({"cpus": 0.1, "cpu_percent": 12.5})"},
      {R"({"tty": "yes", "user": 1000})", R"({"tty": true, "user": "1000"})"},
      {R"({"labels": ["a=1", "b"], "environment": {"A": null, "B": true}})",
       R"({"labels": {"a": "1", "b": ""}, "environment": {"A": null, "B": "true"}})"},
      {R"({"extra_hosts": {"b": "[::1]", "a": ["1.1.1.1", "2.2.2.2"]}})",
       R"({"extra_hosts": ["a=1.1.1.1", "a=2.2.2.2", "b=::1"]})"},
      {R"({"ulimits": {"nproc": 5, "nofile": {"soft": 1, "hard": 0}, "core": 0}})",
       R"({"ulimits": {"nproc": 5, "nofile": {"soft": 1}, "core": {}}})"},
      {R"({"secrets": [{"source": "a", "mode": 288}, {"source": "b", "mode": "0440"}]})",
       R"({"secrets": [{"source": "a", "mode": "0440"}, {"source": "b", "mode": "0440"}]})"},
      {R"({"mem_limit": 1e3, "build": {"shm_size": 1.0}})",
       R"({"build": {"shm_size": "1"}, "mem_limit": "1000"})"},
      {R"({"blkio_config": {"device_read_iops": [{"path": "/dev/sda", "rate": 0}]}})",
       R"({"blkio_config": {"device_read_iops": [{"Path": "/dev/sda", "Rate": "0"}]}})"},
      {R"({"deploy": {}, "healthcheck": {"test": "x", "retries": 0}})",
       R"({"deploy": {"placement": {}, "resources": {}}, "healthcheck": {"test": ["CMD-SHELL", "x"], "retries": 0}})"},
      {R"({"gpus": [{"count": "all"}, {"device_ids": ["0"]}]})",
       R"({"gpus": [{"count": -1}, {"device_ids": ["0"]}]})"},
      {R"({"networks": {"a": null, "b": {}}, "x-own": 1, "no_such_key": 2})",
       R"({"networks": {"a": null, "b": {}}})"},
      {R"({"provider": {"type": "t", "options": {"a": 1, "b": ["x"]}}})",
       R"({"provider": {"type": "t", "options": {"a": ["1"], "b": ["x"]}}})"},
      {R"({"build": {"ssh": {"default": null, "own": "/k"}, "sbom": true}})",
       R"({"build": {"ssh": ["default", "own=/k"], "sbom": "true"}})"},
      {R"({"blkio_config": {"device_read_bps": [{"path": "/dev/a", "rate": "1k"}]}})",
       R"({"blkio_config": {"device_read_bps": [{"Path": "/dev/a", "Rate": "1024"}]}})"},
  };
  for (const auto& [in, out] : rows) {
    INFO(in);
    json wanted = json::parse(out);
    wanted.emplace("command", nullptr);
    wanted.emplace("entrypoint", nullptr);
    CHECK(printed(json::parse(in), service_shape()) == wanted);
  }
}

namespace {

void add_keys(const Shape& shape, std::set<std::string>& out) {
  for (const Key& key : shape) {
    out.insert(std::string(key.name));
    if (key.shape) add_keys(*key.shape, out);
  }
}

}  // namespace

TEST_CASE("docs/compose.md has every key of the specification", "[compose][docs]") {
  std::ifstream file(test::source_root() / "docs/compose.md");
  std::ostringstream text;
  text << file.rdbuf();
  std::set<std::string> keys;
  for (const Shape* shape :
       {&service_shape(), &network_shape(), &volume_shape(), &secret_shape(), &config_shape()})
    add_keys(*shape, keys);
  CHECK(keys.size() > 100);
  for (const auto& key : keys) {
    INFO(key);
    CHECK(text.str().find("`" + key + "`") != std::string::npos);
  }
}
