// How references are written, and what of a Spec they name. Private to references*.cpp and environment.cpp.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "daemon/model/spec.hpp"
#include "daemon/resolve/references.hpp"

namespace stackd::resolve {

using namespace model;

// A part of a text: as it is to appear, a reference's inside, or what is wrong with it.
struct Piece {
  enum class Kind { text, reference, broken };
  Kind kind = Kind::text;
  std::string text;
};
std::vector<Piece> split_references(const std::string& text, Strictness strictness);

// "${services." and its like at `at`.
bool begins_reference(const std::string& text, std::size_t at);

// What stands between ${ and }, taken apart. `mistake` says what is wrong when it is no reference.
struct Reference {
  std::string root;    // worktree, stack, services, owned
  std::string name;    // the service's
  std::string member;  // host_port, port, ports, captured; of worktree and stack the field
  std::string key;     // of ports and captured; the index of host_port_1
  std::string mistake;
};
Reference parse_reference(const std::string& body);

// A message when a text that holds no reference has something in it that was probably meant as one
// (${service.db.host_port}); else nothing.
std::string slip_in(const std::string& text);

// What a services or owned reference names. Neither service nor mistake: the profile leaves the service out.
struct Target {
  const Service* service = nullptr;
  const Port* port = nullptr;  // null: a captured value
  std::string mistake;
};
Target look_up(const Reference& reference, const Spec& spec);

// ", did you mean 'x'?", or ", expected one of a, b", or nothing.
std::string hint(const std::string& word, const std::vector<std::string>& candidates);

// L7: the directory's name, cleaned as a project's is.
std::string worktree_name(const Spec& spec);

}  // namespace stackd::resolve
