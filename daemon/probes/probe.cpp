#include "daemon/probes/probe.hpp"

namespace stackd::probes {

// One file each.
Probe log_match_probe(const std::string& text, const Subject& subject);
Probe http_get_probe(const std::string& text, const Subject& subject);
Probe tcp_probe(const std::string& text, const Subject& subject);
Probe cmd_probe(const std::string& text, const Subject& subject);

Probe make_probe(model::ProbeKind kind, const std::string& text, const Subject& subject) {
  using Make = Probe (*)(const std::string&, const Subject&);
  static const std::map<model::ProbeKind, Make> k_kinds{
      {model::ProbeKind::log_match, log_match_probe},
      {model::ProbeKind::http_get, http_get_probe},
      {model::ProbeKind::tcp, tcp_probe},
      {model::ProbeKind::cmd, cmd_probe},
  };
  return k_kinds.at(kind)(text, subject);
}

}  // namespace stackd::probes
