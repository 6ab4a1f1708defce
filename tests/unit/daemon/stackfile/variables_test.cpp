#include "daemon/stackfile/variables.hpp"

#include <map>

#include "daemon/yaml/yaml.hpp"
#include "tests/support/catch.hpp"

using namespace stackd;

TEST_CASE("the variables of a file are told with what it says of each", "[stackfile][variables]") {
  const auto tree = yaml::parse_documents(R"(
services:
  web:
    image: "${IMAGE:-x-$TAG}:${TAG2-1}"
    environment: {A: $$NOT, B: "${NEED:?say it}", C: "${ALT:+other}", D: "$ONE$TWO", $KEY: 1}
    command: ["${services.db.host_port}", "${DEEP:-${ER:-no}}", "$", "${"]
)",
                                          "compose.yaml")
                        .front();
  std::map<std::string, std::string> found;
  for (const auto& one : stackfile::variables_in(tree))
    found[one.name] = (one.required ? "!" : "") + one.default_value + "|" + one.alternate_value;
  CHECK(found == std::map<std::string, std::string>{{"IMAGE", "x-$TAG|"},
                                                    {"TAG", "|"},
                                                    {"TAG2", "1|"},
                                                    {"NEED", "!|"},
                                                    {"ALT", "|other"},
                                                    {"ONE", "|"},
                                                    {"TWO", "|"},
                                                    {"DEEP", "${ER:-no}|"},
                                                    {"ER", "no|"}});
}
