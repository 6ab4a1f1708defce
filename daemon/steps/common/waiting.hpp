// Readiness: what the waits for containers and for processes have in common (semantics.md L3). The steps that
// wait do nothing else, so they may be run again: they look anew. Control thread.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/probes/ready.hpp"
#include "daemon/steps/common/step.hpp"
#include "daemon/steps/common/tools.hpp"

namespace stackd::steps {

// Follows what a service writes and hands over whole lines, and what has had no end for k_unfinished (a
// prompt, say).
using OutputFeed = std::function<awaitable<void>(std::function<void(std::string_view)>)>;
constexpr std::chrono::milliseconds k_unfinished{100};

// Says what a step waits for, as long as it does.
class Waiting {
public:
  Waiting(Tools& tools, std::string stack, std::string service, std::string what,
          std::chrono::milliseconds limit = {})
      : tools_(tools), stack_(std::move(stack)), service_(std::move(service)) {
    wait_.what = std::move(what);
    wait_.since = util::now_ms();
    if (limit.count() > 0) wait_.deadline = wait_.since + limit.count();
    tools_.waits.set(stack_, service_, wait_);
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() { tools_.waits.end(stack_, service_); }

  // Must not outlive it.
  std::function<void(int, const std::string&)> on_try() const {
    return [this](int number, const std::string& answer) {
      auto wait = wait_;
      wait.attempt = number;
      wait.answer = answer;
      tools_.waits.set(stack_, service_, std::move(wait));
    };
  }

private:
  Tools& tools_;
  std::string stack_, service_;
  world::Wait wait_;
};

// How long a service may take to become ready (L3.4).
std::chrono::milliseconds limit_of(const model::Stack& stack, const model::Service& service);
// What ready_when waits for, in the words of `status`.
std::string what_is_awaited(const model::Service& service);
// ready_when with references resolved, as the probes take it; the output and the death are for the caller to
// add. `run` names the directories of its commands.
probes::ReadyWait ready_wait(Tools& tools, const model::Stack& stack, const model::Service& service,
                             const std::string& run);
// ${owned.x.captured.y} of others may use them from now on (L3.8).
awaitable<void> keep_captures(Tools& tools, std::string stack, std::string service, probes::Captured values);

// C6.6: what nobody requires may fail: that is told, and those who would have waited for it go on.
awaitable<Outcome> unless_optional(bool optional, std::string service, awaitable<Outcome> work);

}  // namespace stackd::steps
