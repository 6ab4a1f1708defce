// ${services.db.host_port}, ${owned.api.port}, ${owned.tunnel.captured.url}, ${worktree.id}, ${stack.name}:
// the dotted references that stackd itself resolves (L7, X18). Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/model/facts.hpp"
#include "daemon/model/spec.hpp"

namespace stackd::resolve {

using namespace model;

enum class Strictness {
  value,  // env values: an unknown ${…} is an error; $$ becomes $
  shell,  // commands and hooks: a ${…} with no known root is the shell's and stays; $${ becomes ${ (X18)
  text,   // what Compose has interpolated already: the same, but $${ means nothing
};

// Throws Error(invalid_file) for a reference that nothing answers ("… is not known: service 'db' has no port
// 'admin'"), and for one whose answer is not known yet: a port before ports are allocated, a value before it
// is captured, a service that the profile leaves out.
std::string resolved(const std::string& text, Strictness strictness, const Spec& spec, const Facts& facts);
// The same, but nothing for an answer that is not known yet.
std::optional<std::string> resolved_if_known(const std::string& text, Strictness strictness, const Spec& spec,
                                             const Facts& facts);

// A text of Compose's, interpolated already, as one that Strictness::value resolves to the same: each $ that
// begins no reference of stackd's is doubled.
std::string keep_dollars(const std::string& text);

// Mistakes that can be seen without facts: unknown services, undeclared ports and captures, a `${` in an env
// value that is no reference; hooks and commands that name an unknown env_group or service. One line each,
// with place.
std::vector<std::string> check_references(const Spec& spec);
// Names of services whose captured values `text` uses.
std::vector<std::string> captured_from(const std::string& text);

}  // namespace stackd::resolve
