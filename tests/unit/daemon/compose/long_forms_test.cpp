#include "daemon/compose/long_forms.hpp"

#include <nlohmann/json.hpp>

#include "daemon/compose/printed.hpp"
#include "daemon/compose/short_forms.hpp"
#include "tests/support/catch.hpp"

using namespace stackd;
using nlohmann::json;

TEST_CASE("short ports become long ones as Docker Compose writes them", "[compose][ports]") {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"80", R"([{"target": 80}])"},
      {"8000:80", R"([{"target": 80, "published": "8000"}])"},
      {"127.0.0.1:81:82", R"([{"target": 82, "published": "81", "host_ip": "127.0.0.1"}])"},
      {"127.0.0.1::82", R"([{"target": 82, "host_ip": "127.0.0.1"}])"},
      {"[::1]:83:84", R"([{"target": 84, "published": "83", "host_ip": "::1"}])"},
      {"9000-9010:80", R"([{"target": 80, "published": "9000-9010"}])"},
      {"8-10", R"([{"target": 10}, {"target": 8}, {"target": 9}])"},  // in the order of texts
      {"9090-9091:80-81", R"([{"target": 80, "published": "9090"}, {"target": 81, "published": "9091"}])"},
      {"0:87", R"([{"target": 87, "published": "0"}])"},
      {"nonsense", "[]"},
  };
  for (const auto& [text, expected] : rows) {
    INFO(text);
    auto wanted = json::parse(expected);
    for (json& port : wanted) port.update({{"mode", "ingress"}, {"protocol", "tcp"}});
    CHECK(compose::long_ports(text) == wanted);
  }
  CHECK(compose::long_ports("53:53/UDP")[0]["protocol"] == "udp");
}

TEST_CASE("short mounts become long ones as Docker Compose writes them", "[compose][mounts]") {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"./a:/b", R"({"type": "bind", "source": "./a", "target": "/b", "bind": {"create_host_path": true}})"},
      {"/data", R"({"type": "volume", "target": "/data", "volume": {}})"},
      {"/b", R"({"type": "volume", "target": "/b"})"},  // so short that it is read on another way
      {"data:/b:nocopy",
       R"({"type": "volume", "source": "data", "target": "/b", "volume": {"nocopy": true}})"},
      {"data:/b:z",
       R"({"type": "volume", "source": "data", "target": "/b", "volume": {}, "bind": {"selinux": "z"}})"},
      {"~/a:/b:Z,rslave,ro", R"({"type": "bind", "source": "~/a", "target": "/b", "read_only": true,
                                 "bind": {"create_host_path": true, "selinux": "Z", "propagation": "rslave"}})"},
      {"C:\\x:/b",
       R"({"type": "bind", "source": "C:\\x", "target": "/b", "bind": {"create_host_path": true}})"},
      {"./a b:/ü",
       R"({"type": "bind", "source": "./a b", "target": "/ü", "bind": {"create_host_path": true}})"},
      {"./a:/b:ro:x", "null"},
  };
  for (const auto& [text, expected] : rows) {
    INFO(text);
    CHECK(compose::long_mount(text) == json::parse(expected));
  }
}

TEST_CASE("a command that is one text is split as Docker Compose splits it", "[compose][command]") {
  using Words = std::vector<std::string>;
  const std::vector<std::pair<std::string, Words>> rows{
      {"  a   'b c' \"d e\" ", {"a", "b c", "d e"}},
      {R"(a b\ c 'd\e' "f\"g")", {"a", "b c", "d\\e", "f\"g"}},
      {"a \"\" ''", {"a", "", ""}},
      {"sh -c \"x && y\" && z", {"sh", "-c", "x && y"}},
      {"a | b", {"a"}},
      {"a 2>&1", {"a"}},
      {"a $(b c) `d e`", {"a", "$(b c)", "`d e`"}},
      {"a \\\n  b", {"a", "\n", "b"}},
      {"", {}},
  };
  for (const auto& [text, words] : rows) {
    INFO(text);
    CHECK(compose::shell_words(text) == words);
  }
  for (const char* open : {"it's", "\"a", "a (b)", "a\\", "$(a"}) {
    INFO(open);
    CHECK_FALSE(compose::shell_words(open));
  }
}

TEST_CASE("one letter and a colon are a drive of Windows, as in Docker Compose", "[compose][mounts]") {
  CHECK(compose::long_mount("a:/b")["target"] == "a:/b");
  CHECK(compose::long_mount("a:\\x:/b:ro")["source"] == "a:\\x");
}

TEST_CASE("a list that is a set has each value once, the later one where the first stood", "[compose]") {
  const compose::FileVariables variables{{"HOME", "/home/ann"}};
  const compose::ModelRequest request{"demo", "/demo", variables};
  json service = json::parse(R"({
    "cap_add": ["A", "B", "A"], "dns": ["1.1.1.1", ""], "expose": [80, "80", "a=b", "a=c"],
    "volumes": ["./a:/x", "data:/y", "./b:/x/"],
    "ports": ["80:80", {"target": 80, "published": "80"}, "127.0.0.1:80:80"],
    "environment": ["A=1", "HOME", "NONE", "A=2"]})");
  compose::lengthen_service(service, request);
  const auto printed = compose::printed(service, compose::service_shape());
  CHECK(printed["cap_add"] == json{"A", "B"});
  CHECK(printed["dns"] == json{"1.1.1.1"});
  CHECK(printed["expose"] == json{"80", "a=b", "a=c"});
  CHECK(printed["volumes"].size() == 2);
  CHECK(printed["volumes"][0]["source"] == "/demo/b");
  CHECK(printed["ports"].size() == 2);
  CHECK(printed["environment"] == json::parse(R"({"A": "2", "HOME": "/home/ann", "NONE": null})"));
}
