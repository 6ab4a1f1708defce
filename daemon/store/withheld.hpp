// Values that go with a stack and may not be in the database: what its secrets are made of. They are in
// <home>/stacks/<id>/withheld.json, mode 0600, which goes with the stack's directory. On the store's thread.
#pragma once

#include <map>
#include <set>
#include <string>

#include "daemon/store/database.hpp"

namespace stackd::store {

struct Withheld {
  using Values = std::map<std::string, std::string>;
  static Values get(Database& db, const std::string& stack);
  // Of `names` those are there that are in `values`. Others stay: a stack that is put back asks for them.
  static void put(Database& db, const std::string& stack, const std::set<std::string>& names,
                  const Values& values);
};

}  // namespace stackd::store
