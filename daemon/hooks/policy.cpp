#include "daemon/hooks/policy.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "daemon/spec/glob.hpp"
#include "daemon/spec/json.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/ids.hpp"
#include "daemon/util/text.hpp"

namespace stackd::hooks {
namespace {

using spec::OnFailure;
using spec::Phase;
namespace fs = std::filesystem;

constexpr std::chrono::seconds k_down_timeout{60};

// The directories that a pattern names as they are, and the rest, in which there are wildcards.
std::pair<fs::path, std::string> fixed_part(const fs::path& pattern) {
  fs::path fixed;
  auto part = pattern.begin();
  for (; part != pattern.end() && part->string().find_first_of("*?[{") == std::string::npos; ++part)
    fixed /= *part;
  fs::path rest;
  for (; part != pattern.end(); ++part) rest /= *part;
  return {fixed, rest.string()};
}

// Name and hash of every file that a pattern names, so that a rename counts as a change.
std::string contents_of(const fs::path& pattern) {
  auto [root, rest] = fixed_part(pattern.lexically_normal());
  std::error_code failed;
  if (rest.empty() && !fs::is_directory(root, failed)) {
    const auto text = util::read_file_if_there(root);
    return root.string() + "\n" + (text ? util::sha256_hex(*text) : "not there") + "\n";
  }
  std::string all;
  for (const auto& file : spec::glob_files(root, rest.empty() ? "**" : rest))
    all += (root / file).string() + "\n" +
           util::sha256_hex(util::read_file_if_there(root / file).value_or("")) + "\n";
  return all;
}

bool environment_holds(const std::string& wish, const spec::Variables& environment) {
  if (wish.front() == '!') return !environment.contains(wish.substr(1));
  const auto equals = wish.find('=');
  const auto found = environment.find(wish.substr(0, equals));
  if (found == environment.end()) return false;
  return equals == std::string::npos || found->second == wish.substr(equals + 1);
}

}  // namespace

std::string to_string(Place place) {
  switch (place) {
    case Place::host:
      return "host";
    case Place::exec:
      return "exec";
    case Place::container:
      return "container";
    case Place::build:
      return "build";
    case Place::entrypoint:
      return "entrypoint";
  }
  return "host";
}

std::string label_of(const spec::Hook& hook) {
  const auto entry = spec::to_string(hook.phase) + "[" + std::to_string(hook.index) + "]";
  return hook.service.empty() ? entry : hook.service + " " + entry;
}

Place place_of(const spec::Hook& hook) {
  if (!hook.run_in_image.empty()) return Place::container;
  if (hook.run_in == "host") return Place::host;
  if (!hook.run_in.empty()) return Place::exec;
  switch (hook.phase) {
    case Phase::post_start:
    case Phase::pre_stop:
      return Place::exec;
    case Phase::pre_start:
      return Place::container;
    case Phase::post_build:
    case Phase::post_build_root:
      return Place::build;
    case Phase::pre_run:
      return Place::entrypoint;
    default:
      return Place::host;
  }
}

OnFailure on_failure_of(const spec::Hook& hook, bool down) {
  if (hook.on_failure != OnFailure::standard) return hook.on_failure;
  // X7: a failing pre_stop is recorded as a failure, but never in the way.
  if (hook.phase == Phase::pre_stop) return OnFailure::fail;
  return down ? OnFailure::warn : OnFailure::fail;
}

std::optional<std::chrono::milliseconds> timeout_of(const spec::Hook& hook, const spec::Runtime& runtime,
                                                    bool down) {
  if (hook.timeout && hook.timeout->count() == 0) return std::nullopt;
  if (hook.timeout) return hook.timeout;
  if (down) return k_down_timeout;
  return runtime.hook_timeout;
}

std::string condition_not_met(const spec::Hook& hook, const std::string& profile,
                              const spec::Variables& environment, const std::string& previous_state) {
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

std::string identity_of(const spec::Hook& hook) {
  auto json = spec::to_json(hook);
  for (const auto* unrelated :
       {"index", "group", "place", "timeout", "retries", "retry_delay", "on_failure", "run", "inputs"})
    json.erase(unrelated);
  return util::sha256_hex(json.dump());
}

std::string state_of_inputs(const spec::Hook& hook, const std::string& directory,
                            const std::string& image_id) {
  std::string text = image_id;
  for (const auto& pattern : hook.inputs) text += "\n" + contents_of(fs::path(directory) / pattern);
  return util::sha256_hex(text);
}

std::string failure_text(const spec::Hook& hook, Place place, const process::RunExit& exit) {
  const bool compose_words =
      place == Place::exec && (hook.phase == Phase::post_start || hook.phase == Phase::pre_stop);
  const auto name = compose_words ? hook.service + " hook" : label_of(hook);
  std::string text;
  switch (exit.cause) {
    case process::Cause::exited:
      text = name + " exited with status " + std::to_string(exit.code);
      break;
    case process::Cause::signalled:
      text = name + " was ended by signal " + std::to_string(exit.signal);
      break;
    case process::Cause::timed_out:
      text = name + " was out of time and was ended";
      break;
    case process::Cause::ended:
      text = name + " was ended";
      break;
    case process::Cause::lost:
      text = name + " was lost: the process that held it is gone, its result is unknown";
      break;
    case process::Cause::not_started:
      text = "cannot run " + name;
      break;
  }
  if (!exit.error.empty()) text += ": " + exit.error;
  const auto tail = util::tail_lines(util::trim(exit.err_tail).empty() ? exit.out_tail : exit.err_tail);
  if (!tail.empty() && exit.cause != process::Cause::not_started) text += ": " + util::join(tail, "\n");
  return text;
}

}  // namespace stackd::hooks
