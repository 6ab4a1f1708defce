#include "daemon/model/phases.hpp"

#include <utility>

namespace stackd::model {
namespace {

constexpr std::array<std::pair<HookPlace, const char*>, 5> k_places{{{HookPlace::host, "host"},
                                                                     {HookPlace::exec, "exec"},
                                                                     {HookPlace::container, "container"},
                                                                     {HookPlace::build, "build"},
                                                                     {HookPlace::entrypoint, "entrypoint"}}};

}  // namespace

std::vector<Phase> phases_of(Scope scope, Vocabulary vocabulary) {
  std::vector<Phase> out;
  for (const auto& row : k_phases)
    if (row.scope == scope && row.vocabulary == vocabulary) out.push_back(row.phase);
  return out;
}

std::string to_string(Phase phase) {
  return row_of(phase).name;
}

std::optional<Phase> phase_from(std::string_view word) {
  for (const auto& row : k_phases)
    if (word == row.name) return row.phase;
  return std::nullopt;
}

std::string to_string(HookPlace place) {
  for (const auto& [value, word] : k_places)
    if (value == place) return word;
  return "";
}

std::optional<HookPlace> place_from(std::string_view word) {
  for (const auto& [value, name] : k_places)
    if (word == name) return value;
  return std::nullopt;
}

}  // namespace stackd::model
