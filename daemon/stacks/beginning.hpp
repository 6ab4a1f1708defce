// What an up begins with, for the up itself and for the plan of one. Control thread.
#pragma once

#include <optional>
#include <string>

#include "daemon/plan/wish.hpp"
#include "daemon/stacks/lookup.hpp"
#include "proto/types.hpp"

namespace stackd::stacks {

// The files, under the name that the stack has or would get: not that of another checkout which is up.
awaitable<Loaded> load_for_up(Parts& parts, proto::UpRequest request);
plan::Wish wish_of(const proto::UpRequest& request, const Loaded& loaded);
// The spec (with its down hooks, X12) and the facts that are known already. `was_down`: nothing of what it
// was `before` is left.
model::Stack beginning_of(const std::string& id, Loaded loaded, const std::optional<model::Stack>& before,
                          bool was_down);
// X37: refuses what another directory has up under this project's name, and what Docker Compose has up of
// this one unless it is to be adopted. `containers`: all of the project.
void check_foreign(const std::vector<docker::ContainerSummary>& containers, const model::Spec& spec,
                   bool adopt);
// The wish of a down; of stop, start and restart.
plan::Wish wish_of(const proto::DownRequest& request);
plan::Wish wish_of(const proto::ServicesRequest& request);

}  // namespace stackd::stacks
