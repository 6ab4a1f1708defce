#include "daemon/world/models.hpp"

#include "daemon/model/json.hpp"
#include "daemon/util/error.hpp"
#include "daemon/world/seen.hpp"
#include "daemon/world/stored_facts.hpp"

namespace stackd::world {

awaitable<model::Stack> Models::get(std::string stack_id) {
  for (;;) {
    if (const auto known = known_.find(stack_id); known != known_.end()) co_return known->second;
    const auto changes = changes_;
    auto query = [stack_id](store::Database& db) -> std::optional<model::Stack> {
      const auto row = store::Stacks::get(db, stack_id);
      if (!row) return std::nullopt;
      const auto spec =
          std::make_shared<model::Spec>(model::spec_from_json(nlohmann::json::parse(row->spec)));
      return model::Stack{stack_id, spec,
                          std::make_shared<model::Facts>(facts_of(db, stack_id, *spec, row->facts))};
    };
    const auto read = co_await journal_.run(query);
    if (changes != changes_) continue;
    if (!read) throw util::Error(util::ErrorKind::not_found, "there is no stack '" + stack_id + "'");
    const auto& stored = *read;
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
  stack.facts = std::make_shared<model::Facts>(std::move(facts));
  put(stack);
  auto write = [stack](store::Database& db) {
    store::Stacks::set_facts(db, stack.id, stored_facts(db, stack.id, *stack.spec, *stack.facts));
  };
  co_await journal_.commit(write);
}

}  // namespace stackd::world
