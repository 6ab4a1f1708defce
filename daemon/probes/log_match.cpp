// log_match: a line of the service's output that a pattern (RE2) finds something in (L3.4).
#include "daemon/probes/output.hpp"
#include "daemon/probes/probe.hpp"

namespace stackd::probes {

Probe log_match_probe(const std::string& text, const Subject&) {
  const auto pattern = std::make_shared<LinePattern>(text);
  Probe probe;
  probe.in_lines = [pattern](std::string_view lines) { return pattern->find(lines).has_value(); };
  return probe;
}

}  // namespace stackd::probes
