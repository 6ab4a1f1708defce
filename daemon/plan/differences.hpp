// What is another in a document than it was, key by key. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace stackd::plan {

struct Change {
  std::string key;            // "healthcheck.test", "environment.LEVEL"
  std::string before, after;  // as JSON, a string without its quotes; "" when the key is not there
};

// Mappings are compared key by key, lists as a whole, and what is at its default is not there.
std::vector<Change> differences(const nlohmann::json& before, const nlohmann::json& after);
// "image", "image, environment.A" or "image, environment.A and 3 more"
std::string keys_of(const std::vector<Change>& changes);

}  // namespace stackd::plan
