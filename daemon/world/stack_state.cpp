#include "daemon/world/stack_state.hpp"

#include "daemon/model/codec.hpp"

namespace stackd::model {

STACKD_FIELDS(world::StackState, STACKD_F(up), STACKD_F(touched), STACKD_F(started_at),
              STACKD_F(adopted_networks), STACKD_F(adopted_volumes))

}  // namespace stackd::model

namespace stackd::world {

StackState state_from(const store::StackRow& row) {
  return row.extra.empty() ? StackState{}
                           : model::decoded<StackState>(nlohmann::json::parse(row.extra), "state of a stack");
}

StackState state_of(store::Database& db, const std::string& stack) {
  const auto row = store::Stacks::get(db, stack);
  return row ? state_from(*row) : StackState{};
}

std::string to_text(const StackState& state) {
  return model::encode(state).dump();
}

void set_state(store::Database& db, const std::string& stack, const StackState& state) {
  store::Stacks::set_extra(db, stack, to_text(state));
}

}  // namespace stackd::world
