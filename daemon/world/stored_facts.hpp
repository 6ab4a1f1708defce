// Facts as a stack's row has them: without the values that its secrets are made of (store/withheld.hpp). On
// the store's thread.
#pragma once

#include <string>

#include "daemon/model/facts.hpp"
#include "daemon/model/spec.hpp"
#include "daemon/store/database.hpp"

namespace stackd::world {

// For the row; the values are put beside the database.
std::string stored_facts(store::Database& db, const std::string& stack, const model::Spec& spec,
                         model::Facts facts);
// And back again.
model::Facts facts_of(store::Database& db, const std::string& stack, const model::Spec& spec,
                      const std::string& text);

}  // namespace stackd::world
