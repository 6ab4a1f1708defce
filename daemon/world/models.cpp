#include "daemon/world/models.hpp"

#include "daemon/model/json.hpp"
#include "daemon/util/error.hpp"
#include "daemon/world/seen.hpp"

namespace stackd::world {

awaitable<model::Stack> Models::get(std::string stack_id) {
  for (;;) {
    if (const auto known = known_.find(stack_id); known != known_.end()) co_return known->second;
    const auto changes = changes_;
    auto query = [stack_id](store::Database& db) { return store::Stacks::get(db, stack_id); };
    const auto row = co_await journal_.run(query);
    if (changes != changes_) continue;
    if (!row) throw util::Error(util::ErrorKind::not_found, "there is no stack '" + stack_id + "'");
    const model::Stack stored{
        stack_id, std::make_shared<model::Spec>(model::spec_from_json(nlohmann::json::parse(row->spec))),
        std::make_shared<model::Facts>(model::facts_from_json(nlohmann::json::parse(row->facts)))};
    auto stack = co_await looked_at(files_, stored);
    if (changes != changes_) continue;
    known_[stack_id] = stack;
    co_return stack;
  }
}

awaitable<model::Stack> Models::fresh(std::string stack_id) {
  const auto before = co_await get(stack_id);
  auto looked = co_await looked_at(files_, before);
  const auto known = known_.find(stack_id);
  // An up has put another spec there meanwhile, and has looked for that; or it was forgotten.
  if (known == known_.end() || known->second.spec != before.spec) co_return looked;
  // Other facts may have changed meanwhile, and stay so.
  if (known->second.facts != before.facts) {
    auto facts = *known->second.facts;
    facts.seen = looked.facts->seen;
    looked.facts = std::make_shared<model::Facts>(std::move(facts));
  }
  known->second = looked;
  co_return looked;
}

std::optional<model::Stack> Models::known(const std::string& stack_id) const {
  const auto found = known_.find(stack_id);
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

void Models::put(model::Stack stack) {
  ++changes_;
  known_.insert_or_assign(stack.id, std::move(stack));
}

void Models::forget(const std::string& stack_id) {
  ++changes_;
  known_.erase(stack_id);
}

awaitable<void> Models::change_facts(std::string stack_id, std::function<void(model::Facts&)> change) {
  auto stack = co_await get(stack_id);
  auto facts = *stack.facts;
  change(facts);
  const auto text = model::to_json(facts).dump();
  stack.facts = std::make_shared<model::Facts>(std::move(facts));
  put(std::move(stack));
  auto write = [stack_id, text](store::Database& db) { store::Stacks::set_facts(db, stack_id, text); };
  co_await journal_.commit(write);
}

}  // namespace stackd::world
