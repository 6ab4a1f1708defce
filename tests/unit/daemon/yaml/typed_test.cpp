#include "daemon/yaml/typed.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"

using namespace stackd;
using nlohmann::json;

TEST_CASE("a scalar becomes the text that Compose makes of it", "[yaml][typed]") {
  struct Row {
    std::string written, text;
  };
  const std::vector<Row> rows{
      {"3.10", "3.1"},
      {"1.0", "1"},
      {"1e3", "1000"},
      {"1e21", "1e+21"},
      {"1e400", "1e400"},  // no number holds it
      {"1234567.5", "1.2345675e+06"},
      {"123456.0", "123456"},
      {"0.00001", "1e-05"},
      {".5", "0.5"},
      {"017", "15"},
      {"0o17", "15"},
      {"0x1F", "31"},
      {"-0b11", "-3"},
      {"1_000", "1000"},
      {"+5", "5"},
      {"12345678901234567890", "12345678901234567890"},
      {"08", "8"},  // no octal, so a number with a point
      {"True", "true"},
      {"FALSE", "false"},
      {"yes", "yes"},
      {"on", "on"},
      {"1:30", "1:30"},
      {"2024-01-01", "2024-01-01"},
      {"0x", "0x"},
      {"1.2.3", "1.2.3"},
      {"'017'", "017"},
      {"\"True\"", "True"},
      {"!!str 3.10", "3.10"},
  };
  for (const auto& row : rows) {
    INFO(row.written);
    CHECK(yaml::typed(yaml::parse_yaml(row.written, "f.yaml")).text == row.text);
  }
}

TEST_CASE("a tree as JSON has numbers, truths and nothing as YAML means them", "[yaml][typed]") {
  CHECK(yaml::json_of(yaml::parse_yaml("{a: [1, 0x10, 1.5, true, ~, '1', x], b: {c: }}", "f.yaml")) ==
        json::parse(R"({"a": [1, 16, 1.5, true, null, "1", "x"], "b": {"c": null}})"));
}
