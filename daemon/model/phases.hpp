// The table of phases (design.md, "Phases"; part Y of semantics.md): everything in which one differs from
// another stands in its row, and whoever reads, prints, plans or runs hooks asks the row. A new phase is an
// enumerator, a row here, and its place in the graph (plan/plan_up.cpp or plan/plan_down.cpp).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stackd::model {

enum class Phase {
  post_build_root,
  post_build,
  before_up,
  before_start,
  pre_start,
  pre_run,
  post_start,
  after_ready,
  after_up,
  before_down,  // two rows: of the stack, and of a service when Hook::service says so
  pre_stop,
  after_down,
};

enum class Scope { stack, service };
// Where its entries run when they say nothing else (`run_in`).
enum class HookPlace {
  host,
  exec,        // in the service's running container
  container,   // in a container of its own
  build,       // as a layer of the service's image
  entrypoint,  // inside the container, before the command that it becomes
};
enum class Direction { up, down };
// Which of the three vocabularies has it, and so where it is written: Lich's `lifecycle` mapping, a key of
// the service as in Compose, Moat's `hooks` mapping.
enum class Vocabulary { lich, compose, moat };
// What a string is: given to /bin/sh -c, or split into words that no shell sees (C1.1, X31).
enum class Text { shell, words };

enum class OnFailure {
  standard,  // the phase's own
  fail,
  warn,
  ignore
};

struct PhaseRow {
  Phase phase;
  const char* name;  // on the wire, in files, in the names of logs
  Scope scope;
  HookPlace place;
  Direction direction;
  Vocabulary vocabulary;
  Text text;
  // Part of the service's definition: an edit makes its containers anew (C1.7, X21). Build hooks make another
  // image instead.
  bool defines;
  // Owed after a start that no operation asked for (X30).
  bool after_start;
  OnFailure on_failure;  // fail in up phases, warn in host down phases, X7 for pre_stop
};

inline constexpr std::array<PhaseRow, 13> k_phases{{
    // clang-format off
    {Phase::post_build_root, "post_build_root", Scope::service, HookPlace::build,      Direction::up,   Vocabulary::moat,    Text::shell, false, false, OnFailure::fail},
    {Phase::post_build,      "post_build",      Scope::service, HookPlace::build,      Direction::up,   Vocabulary::moat,    Text::shell, false, false, OnFailure::fail},
    {Phase::before_up,       "before_up",       Scope::stack,   HookPlace::host,       Direction::up,   Vocabulary::lich,    Text::shell, false, false, OnFailure::fail},
    {Phase::before_start,    "before_start",    Scope::service, HookPlace::host,       Direction::up,   Vocabulary::lich,    Text::shell, false, false, OnFailure::fail},
    {Phase::pre_start,       "pre_start",       Scope::service, HookPlace::container,  Direction::up,   Vocabulary::compose, Text::words, true,  false, OnFailure::fail},
    {Phase::pre_run,         "pre_run",         Scope::service, HookPlace::entrypoint, Direction::up,   Vocabulary::moat,    Text::shell, true,  true,  OnFailure::fail},
    {Phase::post_start,      "post_start",      Scope::service, HookPlace::exec,       Direction::up,   Vocabulary::compose, Text::words, true,  true,  OnFailure::fail},
    {Phase::after_ready,     "after_ready",     Scope::service, HookPlace::host,       Direction::up,   Vocabulary::lich,    Text::shell, false, true,  OnFailure::fail},
    {Phase::after_up,        "after_up",        Scope::stack,   HookPlace::host,       Direction::up,   Vocabulary::lich,    Text::shell, false, false, OnFailure::fail},
    {Phase::before_down,     "before_down",     Scope::stack,   HookPlace::host,       Direction::down, Vocabulary::lich,    Text::shell, false, false, OnFailure::warn},
    {Phase::before_down,     "before_down",     Scope::service, HookPlace::host,       Direction::down, Vocabulary::lich,    Text::shell, false, false, OnFailure::warn},
    {Phase::pre_stop,        "pre_stop",        Scope::service, HookPlace::exec,       Direction::down, Vocabulary::compose, Text::words, true,  false, OnFailure::fail},
    {Phase::after_down,      "after_down",      Scope::stack,   HookPlace::host,       Direction::down, Vocabulary::lich,    Text::shell, false, false, OnFailure::warn},
    // clang-format on
}};

// The rows of a phase say the same but for their scope.
constexpr const PhaseRow& row_of(Phase phase) {
  for (const auto& row : k_phases)
    if (row.phase == phase) return row;
  return k_phases.front();
}

// Phases of a scope that a vocabulary has, in their order.
std::vector<Phase> phases_of(Scope scope, Vocabulary vocabulary);
// Phases of services for which `has` holds, in their order.
template <class Has>
std::vector<Phase> service_phases(Has has) {
  std::vector<Phase> out;
  for (const auto& row : k_phases)
    if (row.scope == Scope::service && has(row)) out.push_back(row.phase);
  return out;
}

// "post_start"; and back, nothing when it is none.
std::string to_string(Phase phase);
std::optional<Phase> phase_from(std::string_view word);

// "host", "exec", "container", "build", "entrypoint"; and back, nothing when it is none.
std::string to_string(HookPlace place);
std::optional<HookPlace> place_from(std::string_view word);

}  // namespace stackd::model
