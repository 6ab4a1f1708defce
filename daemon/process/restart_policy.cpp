#include "daemon/process/restart_policy.hpp"

#include <algorithm>
#include <cstdlib>

namespace stackd::process {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds k_first_pause{100}, k_longest_pause{60'000};
constexpr util::TimeMs k_ran_well = 10'000;
constexpr std::string_view k_on_failure = "on-failure";

// The N of "on-failure:N"; 0 is none.
int limit_of(const std::string& policy) {
  return policy.size() > k_on_failure.size() ? std::atoi(policy.c_str() + k_on_failure.size() + 1) : 0;
}

bool whatever(const std::string& policy) {
  return policy == "always" || policy == "unless-stopped";
}

}  // namespace

int streak_before(int streak, const process::RunExit& exit) {
  return exit.started_at > 0 && exit.ran >= k_ran_well ? 0 : streak;
}

std::optional<milliseconds> restart_pause(const std::string& policy, int streak,
                                          const process::RunExit& exit) {
  streak = streak_before(streak, exit);
  if (!whatever(policy)) {
    if (!policy.starts_with(k_on_failure) || exit.ok()) return std::nullopt;
    const int limit = limit_of(policy);
    if (limit > 0 && streak >= limit) return std::nullopt;
  }
  const auto doublings = std::min(streak, 10);
  return std::min(k_first_pause * (1 << doublings), k_longest_pause);
}

}  // namespace stackd::process
