// log_match: a complete line of the service's output that a pattern (RE2) finds something in (L3.4).
#include <re2/re2.h>

#include <memory>

#include "daemon/probes/probe.hpp"

namespace stackd::probes {

Probe log_match_probe(const std::string& text, const Subject&) {
  const auto pattern = std::make_shared<RE2>(text);
  Probe probe;
  probe.is_line = [pattern](const std::string& line) { return RE2::PartialMatch(line, *pattern); };
  return probe;
}

}  // namespace stackd::probes
