#include "daemon/world/waits.hpp"

namespace stackd::world {

std::string to_text(const Wait& wait) {
  auto text = wait.what;
  if (wait.attempt > 0) text += ", try " + std::to_string(wait.attempt);
  if (!wait.answer.empty()) text += ": " + wait.answer;
  return text;
}

void Waits::set(const std::string& stack, const std::string& service, Wait wait) {
  waits_[{stack, service}] = std::move(wait);
  if (on_change) on_change(stack);
}

void Waits::end(const std::string& stack, const std::string& service) {
  if (waits_.erase({stack, service}) > 0 && on_change) on_change(stack);
}

const Wait* Waits::find(const std::string& stack, const std::string& service) const {
  const auto found = waits_.find({stack, service});
  return found == waits_.end() ? nullptr : &found->second;
}

}  // namespace stackd::world
