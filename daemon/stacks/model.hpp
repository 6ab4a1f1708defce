// Model: a stack's row with its Spec and Facts read back. Models keeps the parsed form of each stack, so that
// a step does not parse its stack anew. Control thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "daemon/operations/journal.hpp"
#include "daemon/spec/facts.hpp"
#include "daemon/spec/spec.hpp"
#include "daemon/store/records.hpp"

namespace stackd::stacks {

struct Model {
  std::string id;
  std::shared_ptr<const spec::Spec> spec;
  std::shared_ptr<const spec::Facts> facts;

  // One that is gone from the file too, as long as something of it may be left. Throws not_found.
  const spec::Service& service(const std::string& name) const;
};

class Models {
public:
  explicit Models(operations::Journal& journal) : journal_(journal) {}

  // Throws not_found for a stack that the store does not know.
  awaitable<Model> get(std::string stack_id);
  // Changes the facts, here at once and then in the store; two who do it at the same time lose nothing.
  awaitable<void> change_facts(std::string stack_id, std::function<void(spec::Facts&)> change);
  // The row was changed by someone else: read it again next time.
  void forget(const std::string& stack_id) { known_.erase(stack_id); }

private:
  operations::Journal& journal_;
  std::map<std::string, Model> known_;
};

}  // namespace stackd::stacks
