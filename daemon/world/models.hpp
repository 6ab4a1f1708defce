// Models: the parsed form of each stack's row, so that nobody parses it anew for every step. Control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "daemon/async/user_files.hpp"
#include "daemon/journal/journal.hpp"
#include "daemon/model/stack.hpp"

namespace stackd::world {

class Models {
public:
  Models(journal::Journal& journal, async::UserFiles& files) : journal_(journal), files_(files) {}

  // Throws not_found for a stack that the store does not know. Its Facts::seen is of the last look.
  awaitable<model::Stack> get(std::string stack_id);
  // The same, looked at now: for whoever starts a command of this machine or hides secrets. What was seen is
  // what get() says from then on.
  awaitable<model::Stack> fresh(std::string stack_id);
  // What is known of it without asking.
  std::optional<model::Stack> known(const std::string& stack_id) const;
  // What the row will say from now on: of an up, whose commit comes next. When that fails, forget() it. It
  // brings what was seen of its files along.
  void put(model::Stack stack);
  // Changes the facts, here at once and then in the store; two who do it at the same time lose nothing.
  awaitable<void> change_facts(std::string stack_id, std::function<void(model::Facts&)> change);
  // The row was changed by someone else, or is gone: it is read again next time, and by whoever is reading it
  // now.
  void forget(const std::string& stack_id);

private:
  journal::Journal& journal_;
  async::UserFiles& files_;
  std::map<std::string, model::Stack> known_;
  std::uint64_t changes_ = 0;  // puts and forgets: a row that was read before one of them is not kept
};

}  // namespace stackd::world
