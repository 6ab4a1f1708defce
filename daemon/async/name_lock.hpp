// NameLock: what one coroutine does under a name, no other does at the same time. Control thread.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "daemon/async/signal.hpp"

namespace stackd::async {

struct NameLocks {
  explicit NameLocks(asio::any_io_executor executor) : freed(std::move(executor)) {}
  std::set<std::string> names;
  Signal freed;
};

class NameLock {
public:
  explicit NameLock(std::shared_ptr<NameLocks> locks) : locks_(std::move(locks)) {}
  NameLock(const NameLock&) = delete;
  NameLock& operator=(const NameLock&) = delete;
  ~NameLock() {
    if (name_.empty()) return;
    locks_->names.erase(name_);
    locks_->freed.notify();
  }
  // Until nobody else has it. Cancellable.
  awaitable<void> take(std::string name) {
    while (locks_->names.contains(name)) co_await locks_->freed.wait();
    locks_->names.insert(name);
    name_ = std::move(name);
  }

private:
  std::shared_ptr<NameLocks> locks_;
  std::string name_;
};

}  // namespace stackd::async
