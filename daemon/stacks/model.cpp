#include "daemon/stacks/model.hpp"

#include "daemon/spec/json.hpp"
#include "daemon/util/error.hpp"

namespace stackd::stacks {

const spec::Service& Model::service(const std::string& name) const {
  if (const auto* found = spec->find(name)) return *found;
  if (const auto* gone = spec->find_gone(name)) return *gone;
  throw util::Error(util::ErrorKind::not_found, "stack '" + spec->name + "' has no service '" + name + "'");
}

awaitable<Model> Models::get(std::string stack_id) {
  if (const auto known = known_.find(stack_id); known != known_.end()) co_return known->second;
  auto query = [stack_id](store::Database& db) { return store::Stacks::get(db, stack_id); };
  const auto row = co_await journal_.run(query);
  // Someone else was quicker, and may have changed it since.
  if (const auto known = known_.find(stack_id); known != known_.end()) co_return known->second;
  if (!row) throw util::Error(util::ErrorKind::not_found, "there is no stack '" + stack_id + "'");
  Model model{stack_id, std::make_shared<spec::Spec>(spec::spec_from_json(nlohmann::json::parse(row->spec))),
              std::make_shared<spec::Facts>(spec::facts_from_json(nlohmann::json::parse(row->facts)))};
  known_[stack_id] = model;
  co_return model;
}

awaitable<void> Models::change_facts(std::string stack_id, std::function<void(spec::Facts&)> change) {
  auto model = co_await get(stack_id);
  auto facts = *model.facts;
  change(facts);
  const auto text = spec::to_json(facts).dump();
  model.facts = std::make_shared<spec::Facts>(std::move(facts));
  known_[stack_id] = model;
  auto write = [stack_id, text](store::Database& db) { store::Stacks::set_facts(db, stack_id, text); };
  co_await journal_.commit(write);
}

}  // namespace stackd::stacks
