// What an up keeps of what it replaces, and what the stack was before it (semantics.md, X34;
// migrations/0006_kept.sql). As with all repositories: inside the caller's transaction, or alone.
#pragma once

#include <string>
#include <vector>

#include "daemon/store/database.hpp"

namespace stackd::store {

struct KeptRow {
  std::string stack_id, service;
  std::string container;  // id; "" for the process of the service
  std::string name, state;
  std::string policy = "no";  // the engine's word
  int retries = 0;
  std::string endpoints = "{}";  // JSON: network -> its settings there
  bool aside = true;             // something else gets its place; false: it was only stopped
};

struct Kept {
  // Nothing when there is a row already: what was seen first is what it was.
  static void put(Database&, const KeptRow&);
  static std::vector<KeptRow> of_stack(Database&, const std::string& stack_id);
};

struct Former {
  // What the rows of the stack and of its ports say now. Nothing when something of an earlier up is still
  // kept: then that is what was up.
  static void remember(Database&, const std::string& stack_id);
  static bool exists(Database&, const std::string& stack_id);
  // The stack's spec, facts and profile as they were; the one that it has now stays with the operation.
  static void restore(Database&, const std::string& stack_id, const std::string& operation_id);
  // Throws Error(conflict) when somebody else has one of the ports now.
  static void restore_ports(Database&, const std::string& stack_id);
  // All of it, with what was kept.
  static void forget(Database&, const std::string& stack_id);
};

}  // namespace stackd::store
