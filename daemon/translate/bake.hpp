// Builds as a bake file has them (`stackctl build --print`, `docker compose build --print`). Pure.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daemon/model/stack.hpp"

namespace stackd::translate {

struct BakeWish {
  std::vector<std::string> services;             // none is all; what a named one is built on comes with it
  std::map<std::string, std::string> args, ssh;  // over the file's
  bool no_cache = false, pull = false, push = false;
};
nlohmann::json bake_file(const model::Stack& stack, const BakeWish& wish);

}  // namespace stackd::translate
