#include "daemon/world/stored_facts.hpp"

#include <nlohmann/json.hpp>
#include <set>

#include "daemon/model/json.hpp"
#include "daemon/store/withheld.hpp"

namespace stackd::world {
namespace {

std::set<std::string> secret_variables(const model::Spec& spec) {
  std::set<std::string> names;
  for (const auto& [name, secret] : spec.secrets)
    if (!secret.environment.empty()) names.insert(secret.environment);
  return names;
}

}  // namespace

std::string stored_facts(store::Database& db, const std::string& stack, const model::Spec& spec,
                         model::Facts facts) {
  const auto names = secret_variables(spec);
  if (!names.empty()) store::Withheld::put(db, stack, names, facts.caller);
  for (const auto& name : names) facts.caller.erase(name);
  return model::to_json(facts).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

model::Facts facts_of(store::Database& db, const std::string& stack, const model::Spec& spec,
                      const std::string& text) {
  auto facts = model::facts_from_json(nlohmann::json::parse(text));
  const auto names = secret_variables(spec);
  if (names.empty()) return facts;
  for (auto& [name, value] : store::Withheld::get(db, stack))
    if (names.contains(name)) facts.caller[name] = value;
  return facts;
}

}  // namespace stackd::world
