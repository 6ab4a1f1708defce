#include "daemon/resolve/hook_policy.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/model/json.hpp"
#include "daemon/util/ids.hpp"
#include "daemon/util/text.hpp"

namespace stackd::resolve {
namespace {

constexpr std::chrono::seconds k_down_timeout{60};

bool environment_holds(const std::string& wish, const Variables& environment) {
  if (wish.front() == '!') return !environment.contains(wish.substr(1));
  const auto equals = wish.find('=');
  const auto found = environment.find(wish.substr(0, equals));
  if (found == environment.end()) return false;
  return equals == std::string::npos || found->second == wish.substr(equals + 1);
}

}  // namespace

std::string label_of(const Hook& hook) {
  const auto entry = to_string(hook.phase) + "[" + std::to_string(hook.index) + "]";
  return hook.service.empty() ? entry : hook.service + " " + entry;
}

HookPlace place_of(const Hook& hook) {
  if (!hook.run_in_image.empty()) return HookPlace::container;
  if (hook.run_in == "host") return HookPlace::host;
  if (!hook.run_in.empty()) return HookPlace::exec;
  return row_of(hook.phase).place;
}

OnFailure on_failure_of(const Hook& hook) {
  return hook.on_failure == OnFailure::standard ? row_of(hook.phase).on_failure : hook.on_failure;
}

bool is_down(const Hook& hook) {
  return row_of(hook.phase).direction == Direction::down;
}

std::optional<std::chrono::milliseconds> timeout_of(const Hook& hook, const Runtime& runtime) {
  if (hook.timeout && hook.timeout->count() == 0) return std::nullopt;
  if (hook.timeout) return hook.timeout;
  if (is_down(hook)) return k_down_timeout;
  return runtime.hook_timeout;
}

std::string condition_not_met(const Hook& hook, const std::string& profile, const Variables& environment,
                              const std::string& previous_state) {
  const auto has = [](const std::vector<std::string>& list, const std::string& word) {
    return std::find(list.begin(), list.end(), word) != list.end();
  };
  // A compose.yaml may have several at once.
  const auto profiles = util::split(profile, ',');
  const bool profile_fits = std::any_of(profiles.begin(), profiles.end(),
                                        [&](const auto& one) { return has(hook.if_profile, one); });
  if (!hook.if_profile.empty() && !profile_fits)
    return "if: profile is " + (profile.empty() ? "not set" : "'" + profile + "'") + ", not " +
           util::join(hook.if_profile, " or ");
  if (!hook.if_os.empty() && !has(hook.if_os, "linux"))
    return "if: os is linux, not " + util::join(hook.if_os, " or ");
  for (const auto& wish : hook.if_env)
    if (!environment_holds(wish, environment)) return "if: env " + wish + " does not hold";
  if (!hook.if_previous.empty() && hook.if_previous != previous_state)
    return "if: the previous operation " +
           (previous_state.empty() ? std::string("does not exist") : previous_state) + ", not " +
           hook.if_previous;
  return {};
}

std::string identity_of(const Hook& hook) {
  auto json = to_json(hook);
  for (const auto* unrelated : {"index", "group", "place", "timeout", "retries", "retry_delay", "on_failure",
                                "run", "inputs", "once_volume"})
    json.erase(unrelated);
  return util::sha256_hex(json.dump());
}

}  // namespace stackd::resolve
