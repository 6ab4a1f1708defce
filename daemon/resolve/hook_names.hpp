// How people name entries: "after_up" (all of a phase), "after_up[0]", "db.post_start[1]" (of a service); a
// space for the dot as well, as messages have it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/model/spec.hpp"

namespace stackd::resolve {

struct HookName {
  std::string service;  // "" of the stack, and of every service where the phase is of services
  model::Phase phase = model::Phase::before_up;
  std::optional<int> index;  // nothing: all of the phase
};

// Nothing when there is no such phase, or it is written in another way.
std::optional<HookName> hook_name_from(std::string_view text);
bool is_meant(const HookName& name, const model::Hook& hook);
// Whether one of these names means it. Names that are none mean nothing.
bool is_meant(const std::vector<std::string>& names, const model::Hook& hook);

}  // namespace stackd::resolve
