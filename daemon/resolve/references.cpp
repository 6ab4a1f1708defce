#include "daemon/resolve/references.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <set>

#include "daemon/resolve/identity.hpp"
#include "daemon/resolve/reference_syntax.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/ids.hpp"
#include "daemon/util/text.hpp"

namespace stackd::resolve {

namespace {

using util::Error;
using util::ErrorKind;

[[noreturn]] void fail(const std::string& body, const std::string& why) {
  throw Error(ErrorKind::invalid_file, "${" + body + "} is not known: " + why);
}

std::optional<std::string> worktree_value(const Reference& reference, const Spec& spec, const Facts& facts) {
  if (reference.member == "path") return spec.directory;
  if (reference.member == "name") return worktree_name(spec);
  return facts.lich_id.empty() ? util::sha256_hex(spec.directory).substr(0, 12) : facts.lich_id;  // L7.3
}

std::optional<std::string> stack_value(const Reference& reference, const Spec& spec, const Facts& facts) {
  if (reference.member == "name") return spec.name;
  if (reference.member == "directory") return spec.directory;
  if (reference.member == "profile") return spec.profile;
  return facts.stack_id.empty() ? stack_id(spec.name, spec.directory) : facts.stack_id;
}

std::optional<std::string> port_value(const Service& service, const Port& port, const Facts& facts) {
  if (const auto ports = facts.ports.find(service.name); ports != facts.ports.end()) {
    if (const auto found = ports->second.find(port.key); found != ports->second.end())
      return std::to_string(found->second);
  }
  if (service.container && service.container->network_mode == "host")
    return std::to_string(port.published ? port.published : port.target);
  if (port.published && !port.published_end) return std::to_string(port.published);
  return std::nullopt;
}

std::optional<std::string> captured_value(const std::string& service, const std::string& key,
                                          const Facts& facts) {
  const auto captured = facts.captured.find(service);
  if (captured == facts.captured.end()) return std::nullopt;
  const auto found = captured->second.find(key);
  return found == captured->second.end() ? std::nullopt : std::optional(found->second);
}

// Of a service that the chosen profile leaves out but that an earlier up has brought up.
std::optional<std::string> remembered_value(const Reference& reference, const Facts& facts) {
  if (reference.member == "captured") return captured_value(reference.name, reference.key, facts);
  const auto ports = facts.ports.find(reference.name);
  if (ports == facts.ports.end()) return std::nullopt;
  std::string key = reference.key;
  if (reference.member != "ports" && key.empty()) {
    if (ports->second.size() != 1) return std::nullopt;
    key = ports->second.begin()->first;
  }
  const auto found = ports->second.find(key);
  return found == ports->second.end() ? std::nullopt : std::optional(std::to_string(found->second));
}

// Throws when it is a mistake; nothing when the answer is not known yet.
std::optional<std::string> answer(const std::string& body, const Spec& spec, const Facts& facts) {
  const Reference reference = parse_reference(body);
  if (!reference.mistake.empty()) fail(body, reference.mistake);
  if (reference.root == "worktree") return worktree_value(reference, spec, facts);
  if (reference.root == "stack") return stack_value(reference, spec, facts);
  const Target found = look_up(reference, spec);
  if (!found.mistake.empty()) fail(body, found.mistake);
  if (!found.service) return remembered_value(reference, facts);
  return found.port ? port_value(*found.service, *found.port, facts)
                    : captured_value(reference.name, reference.key, facts);
}

std::string why_not_yet(const std::string& body, const Spec& spec) {
  const Reference reference = parse_reference(body);
  const std::string service = "service '" + reference.name + "'";
  if (!spec.find(reference.name))
    return service + " is left out" + (spec.profile.empty() ? "" : " by the profile '" + spec.profile + "'");
  if (reference.member == "captured")
    return service + " has captured nothing yet; who uses it has to name it in 'depends_on'";
  return service + " has no host port yet; an up gives it one";
}

// Resolves; `unknown` is the body of the first reference whose answer is not known yet.
std::string replace(const std::string& text, Strictness strictness, const Spec& spec, const Facts& facts,
                    std::optional<std::string>& unknown) {
  if (text.find('$') == std::string::npos) return text;
  std::string out;
  for (const Piece& piece : split_references(text, strictness)) {
    if (piece.kind == Piece::Kind::text) {
      out += piece.text;
    } else if (piece.kind == Piece::Kind::broken) {
      throw Error(ErrorKind::invalid_file, piece.text);
    } else if (auto value = answer(piece.text, spec, facts)) {
      out += *value;
    } else if (!unknown) {
      unknown = piece.text;
    }
  }
  return out;
}

}  // namespace

std::string resolved(const std::string& text, Strictness strictness, const Spec& spec, const Facts& facts) {
  std::optional<std::string> unknown;
  std::string out = replace(text, strictness, spec, facts, unknown);
  if (unknown) fail(*unknown, why_not_yet(*unknown, spec));
  return out;
}

std::optional<std::string> resolved_if_known(const std::string& text, Strictness strictness, const Spec& spec,
                                             const Facts& facts) {
  std::optional<std::string> unknown;
  std::string out = replace(text, strictness, spec, facts, unknown);
  return unknown ? std::nullopt : std::optional(std::move(out));
}

std::string keep_dollars(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '$' && !begins_reference(text, i)) out += '$';
  }
  return out;
}

std::string worktree_name(const Spec& spec) {
  const std::string name = std::filesystem::path(spec.directory).filename().string();
  const std::string clean = project_name_from(name);
  return clean.empty() ? name : clean;
}

std::vector<std::string> captured_from(const std::string& text) {
  std::vector<std::string> names;
  for (const Piece& piece : split_references(text, Strictness::shell)) {
    if (piece.kind != Piece::Kind::reference) continue;
    const Reference reference = parse_reference(piece.text);
    if (reference.member != "captured") continue;
    if (std::find(names.begin(), names.end(), reference.name) == names.end()) names.push_back(reference.name);
  }
  return names;
}

}  // namespace stackd::resolve
