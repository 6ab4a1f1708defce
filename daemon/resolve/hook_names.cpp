#include "daemon/resolve/hook_names.hpp"

#include <algorithm>
#include <charconv>

namespace stackd::resolve {

std::optional<HookName> hook_name_from(std::string_view text) {
  HookName name;
  if (text.ends_with(']')) {
    const auto open = text.rfind('[');
    if (open == std::string_view::npos) return std::nullopt;
    const auto digits = text.substr(open + 1, text.size() - open - 2);
    int index = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error != std::errc() || end != digits.data() + digits.size() || index < 0) return std::nullopt;
    name.index = index;
    text = text.substr(0, open);
  }
  if (const auto before = text.find_last_of(". "); before != std::string_view::npos) {
    name.service = text.substr(0, before);
    text = text.substr(before + 1);
    if (name.service.empty()) return std::nullopt;
  }
  const auto phase = model::phase_from(text);
  if (!phase) return std::nullopt;
  name.phase = *phase;
  return name;
}

bool is_meant(const HookName& name, const model::Hook& hook) {
  return hook.phase == name.phase && (!name.index || *name.index == hook.index) &&
         (name.service.empty() || name.service == hook.service);
}

bool is_meant(const std::vector<std::string>& names, const model::Hook& hook) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& text) {
    const auto name = hook_name_from(text);
    return name && is_meant(*name, hook);
  });
}

}  // namespace stackd::resolve
