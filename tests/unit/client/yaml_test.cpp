#include "client/output/yaml.hpp"

#include <utility>
#include <vector>

#include "tests/support/catch.hpp"

using namespace stackd::client;
using nlohmann::ordered_json;

// The expected texts are what `docker compose config` prints for such values.
TEST_CASE("a text has the quotes that Docker Compose gives it", "[client][yaml]") {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"plain", "plain"},
      {"", "\"\""},
      {"a b", "a b"},
      {"::", "'::'"},
      {"a:b", "a:b"},
      {"a: b", "'a: b'"},
      {"a #b", "'a #b'"},
      {"a#b", "a#b"},
      {"*", "'*'"},
      {"''", "''''''"},
      {"$$x", "$$x"},
      {"-", "'-'"},
      {"--x=1", "--x=1"},
      {"{{.Name}}", "'{{.Name}}'"},
      // what YAML would read as something else
      {"80", "\"80\""},
      {"1.5", "\"1.5\""},
      {"1e3", "\"1e3\""},
      {"0x1F", "\"0x1F\""},
      {"0440", "\"0440\""},
      {"-5", "\"-5\""},
      {"true", "\"true\""},
      {"True", "\"True\""},
      {"off", "\"off\""},
      {"y", "\"y\""},
      {"n", "\"n\""},
      {"null", "\"null\""},
      {"~", "\"~\""},
      {".inf", "\".inf\""},
      {".NaN", "\".NaN\""},
      {"22:22", "\"22:22\""},
      {"2020-01-01", "\"2020-01-01\""},
      // … and what it would not
      {"nULL", "nULL"},
      {"1s", "1s"},
      {"10.0.0.0/24", "10.0.0.0/24"},
      {"127.0.0.1", "127.0.0.1"},
      {"nan", "nan"},
      {"c 1:3 mr", "c 1:3 mr"},
      {"02:42:ac:11:00:02", "02:42:ac:11:00:02"},
      {"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9"},
      // what a block cannot hold
      {"a\tb", "\"a\\tb\""},
      {"s/\r$//", "\"s/\\r$//\""},
      {"a \nb", "\"a \\nb\""},
      {"a\r\nb", "\"a\\r\\nb\""},
  };
  for (const auto& [text, written] : rows) {
    INFO(text);
    CHECK(yaml_text(ordered_json{{"k", text}}) == "k: " + written + "\n");
  }
}

TEST_CASE("a text of several lines is a block, with the line ends that it has", "[client][yaml]") {
  CHECK(yaml_text({{"k", "a\n\n b\n"}}) == "k: |\n  a\n\n   b\n");
  CHECK(yaml_text({{"k", "a\nb"}}) == "k: |-\n  a\n  b\n");
  CHECK(yaml_text({{"k", "a\n\n"}}) == "k: |+\n  a\n\n");
  CHECK(yaml_text({{"k", " a\nb"}}) == "k: |2-\n   a\n  b\n");
  CHECK(yaml_text({{"list", {"a\nb"}}}) == "list:\n  - |-\n    a\n    b\n");
}

TEST_CASE("mappings keep their order, lists are indented, what is empty stays", "[client][yaml]") {
  const auto document =
      ordered_json::parse(R"({"z": [{"b": 1, "a": null}, []], "on": {}, "a": [], "1": {"x": true}})");
  CHECK(yaml_text(document) == "z:\n  - b: 1\n    a: null\n  - []\n\"on\": {}\na: []\n\"1\":\n  x: true\n");
}
