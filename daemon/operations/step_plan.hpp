// StepPlan: one step of an operation's graph as it is planned. Plain data, no Asio.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace stackd::operations {

struct StepPlan {
  std::string key;  // unique in the operation
  std::string kind;
  std::string service;  // "" for the stack's own
  nlohmann::json params = nlohmann::json::object();
  std::vector<std::string> needs;  // keys that must have ended (done or skipped; failed too when they go on)
  bool go_on = false;  // its failure does not stop the operation (teardown); it still ends "failed"
};

}  // namespace stackd::operations
