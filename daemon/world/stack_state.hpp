// Small facts of a stack that need no column: the `extra` of its row.
#pragma once

#include <set>
#include <string>

#include "daemon/store/records.hpp"

namespace stackd::world {

struct StackState {
  bool up = false;              // an up has worked since the last down
  bool touched = false;         // there was an up since the last down
  util::TimeMs started_at = 0;  // when it last came up
  // Names of what Docker Compose had made and cannot be relabelled: it is this stack's to take away (X37).
  std::set<std::string> adopted_networks, adopted_volumes;
};

StackState state_from(const store::StackRow& row);
StackState state_of(store::Database& db,
                    const std::string& stack);  // a default one when there is no such stack
std::string to_text(const StackState& state);
void set_state(store::Database& db, const std::string& stack, const StackState& state);

}  // namespace stackd::world
