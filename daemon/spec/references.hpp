// ${services.db.host_port}, ${owned.api.port}, ${owned.tunnel.captured.url}, ${worktree.id}, ${stack.name}:
// the dotted references that stackd itself resolves (L7, X18). Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/spec/facts.hpp"
#include "daemon/spec/spec.hpp"
#include "daemon/spec/yaml.hpp"

namespace stackd::spec {

enum class Strictness {
  value,  // env values: an unknown ${…} is an error; $$ becomes $
  shell,  // commands and hooks: a ${…} with no known root is the shell's and stays; $${ becomes ${ (X18)
  text,   // what Compose has interpolated already: the same, but $${ means nothing
};

// Throws Error(invalid_file) for a reference that nothing answers ("… is not known: service 'db' has no port
// 'admin'"), and for one whose answer is not known yet: a port before ports are allocated, a value before it
// is captured, a service that the profile leaves out.
std::string resolve(const std::string& text, Strictness strictness, const Spec& spec, const Facts& facts);
// The same, but nothing for an answer that is not known yet.
std::optional<std::string> resolve_if_known(const std::string& text, Strictness strictness, const Spec& spec,
                                            const Facts& facts);

// A text of Compose's, interpolated already, as one that Strictness::value resolves to the same: each $ that
// begins no reference of stackd's is doubled.
std::string keep_dollars(const std::string& text);

// Mistakes that can be seen without facts: unknown services, undeclared ports and captures, a `${` in an env
// value that is no reference; hooks and commands that name an unknown env_group or service. One line each,
// with place.
std::vector<std::string> check_references(const Spec& spec);
// Remembers in Spec::written where texts with references stand. Keys that begin with x- are left out.
void note_references(const Value& tree, Spec& spec);

// Names of services whose captured values `text` uses.
std::vector<std::string> captured_from(const std::string& text);

}  // namespace stackd::spec
