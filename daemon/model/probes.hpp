// The table of probe kinds: how a service is asked whether it is ready (`ready_when`, L3.4 to L3.6). What a
// kind does is in probes/, in a file of its own. A new kind is an enumerator, a row, and that file.
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>

namespace stackd::model {

// They do not combine: of those that are given the first decides (L3.4).
enum class ProbeKind { log_match, http_get, tcp, cmd };

struct ProbeRow {
  ProbeKind kind;
  const char* key;  // in ready_when
  bool references;  // ${…} in its text stand for ports and the like, which an up knows
  // What is wrong with a text by its form ("expected a path or a URL, found 'x'"); "" when nothing is.
  std::string (*mistake)(const std::string& text);
};
extern const std::array<ProbeRow, 4> k_probes;
const ProbeRow& row_of(ProbeKind kind);

// What is wrong with a pattern (RE2); "" when nothing is.
std::string pattern_mistake(const std::string& pattern);

struct Readiness {
  std::map<ProbeKind, std::string> probes;     // as they are written
  std::map<std::string, std::string> capture;  // key -> RE2
  std::optional<std::chrono::milliseconds> timeout;
  bool extend_on_progress = false;
  std::optional<std::chrono::milliseconds> settle;  // how long it must be there where nothing else is asked
  std::string fail_log_match;                       // fail_when.log_match

  // The one that decides; null without any.
  const std::pair<const ProbeKind, std::string>* deciding() const;
  bool any() const { return !probes.empty() || !capture.empty(); }
};

}  // namespace stackd::model
