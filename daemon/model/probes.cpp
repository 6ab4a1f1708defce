#include "daemon/model/probes.hpp"

#include <re2/re2.h>

namespace stackd::model {
namespace {

std::string url_mistake(const std::string& text) {
  for (const std::string_view start : {"/", "http://", "https://", "${"})
    if (text.starts_with(start)) return "";
  return "expected a path or a URL, found '" + text + "'";
}

// "host:5432", "5432"; what has a reference in it shows only at the up.
std::string address_mistake(const std::string& text) {
  if (text.find("${") != std::string::npos) return "";
  const auto port = text.substr(text.rfind(':') + 1);
  const bool digits =
      !port.empty() && port.size() < 6 && port.find_first_not_of("0123456789") == std::string::npos;
  if (digits && std::stoi(port) >= 1 && std::stoi(port) <= 65535) return "";
  return "expected host:port or a port, found '" + text + "'";
}

std::string no_mistake(const std::string&) {
  return "";
}

}  // namespace

const std::array<ProbeRow, 4> k_probes{{
    {ProbeKind::log_match, "log_match", false, pattern_mistake},
    {ProbeKind::http_get, "http_get", true, url_mistake},
    {ProbeKind::tcp, "tcp", true, address_mistake},
    {ProbeKind::cmd, "cmd", true, no_mistake},
}};

const ProbeRow& row_of(ProbeKind kind) {
  for (const auto& row : k_probes)
    if (row.kind == kind) return row;
  return k_probes.front();
}

std::string pattern_mistake(const std::string& pattern) {
  const re2::RE2 regex(pattern, re2::RE2::Quiet);
  return regex.ok() ? "" : "not a valid regular expression: " + regex.error();
}

const std::pair<const ProbeKind, std::string>* Readiness::deciding() const {
  return probes.empty() ? nullptr : &*probes.begin();
}

}  // namespace stackd::model
