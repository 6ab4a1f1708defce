// Wish: what an operation was asked for, as it is stored with it: the request of the API in the daemon's own
// words. Two equal wishes of one kind are one operation (X25).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace stackd::plan {

enum class Kind { up, start, restart, stop, down, recover, hooks, build, pull, push, rollback };
const char* to_string(Kind kind);
// Throws Error(internal) for a word that no daemon writes.
Kind kind_from(const std::string& word);
// Whether it is after a stack that runs.
bool brings_up(Kind kind);
// Whether it is about images alone: nothing that runs is touched.
bool is_of_images(Kind kind);

struct Wish {
  std::vector<std::string> services;  // named by the caller; none is all
  // up
  bool build = false, rebuild = false, force_recreate = false, no_deps = false, remove_orphans = false,
       ignore_orphans = false;
  bool keep = false;  // what a failed up has started stays
  std::string pull;
  std::string rerun;  // "all", or a phase: its hooks run again whatever they remember (X36)
  std::map<std::string, int> scale;
  std::optional<std::chrono::milliseconds> deadline;  // of the whole operation, from its creation
  std::string digest;                                 // of the spec that it brings up
  // down, stop, restart
  bool volumes = false, no_hooks = false;
  std::string rmi;
  std::optional<int> stop_timeout;  // seconds
  // build (`rebuild` is without the cache), pull, push
  bool pull_base = false, include_deps = false, ignore_failures = false, push = false;
  std::map<std::string, std::string> build_args, ssh;
  // Names of entries (resolve/hook_names.hpp): what an up leaves out, what `hooks run` runs.
  std::vector<std::string> skip_hooks, hooks;
  // up: what is there is taken as it is; dependencies of what was named are made anew; so are anonymous
  // volumes; nothing is started; nothing is built.
  // up: everything for a one-off of these is to be there, and they are left as they are.
  std::vector<std::string> prepare;
  bool no_recreate = false, always_recreate_deps = false, renew_volumes = false, no_start = false,
       no_build = false,
       adopt = false;  // what Docker Compose has up of this project is taken over (X37)
  // recover: by service, STACKD_REASON; and the replicas that the engine has started
  std::map<std::string, std::string> reasons;
  std::map<std::string, std::set<int>> restarted;
  std::string asked;  // hash of the caller's words, under an Idempotency-Key
};

// Whether they ask for the same, by whatever words.
bool same(const Wish& a, const Wish& b);
std::string to_text(const Wish& wish);
Wish wish_from(const std::string& text);

}  // namespace stackd::plan
