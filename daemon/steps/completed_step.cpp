// A service that others wait for until it has completed (C6.5).
#include "daemon/async/task_group.hpp"
#include "daemon/steps/common/endings.hpp"
#include "daemon/steps/common/process_run.hpp"
#include "daemon/steps/common/waiting.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/util/error.hpp"

namespace stackd::steps {
namespace {

using util::Error;
using util::ErrorKind;

constexpr std::chrono::milliseconds k_between_runs{100};

// Of one that is started again by its policy (on-failure) after an end, the end after that counts.
awaitable<int> code_of_the_last_end(Tools& tools, std::string id) {
  for (;;) {
    const int code = co_await tools.engine.wait_container(id);
    const bool over = co_await ended_for_good(tools, id);
    if (over) co_return code;
    co_await tools.monitor.changed().wait_for(k_between_runs);  // the engine's wait would answer at once
  }
}

awaitable<void> wait_for_end(Tools& tools, std::string id, int& code, std::size_t& left,
                             std::optional<Error>& failed, async::Signal& changed) {
  try {
    const int own = co_await code_of_the_last_end(tools, id);
    if (code == 0) code = own;
  } catch (const Error& error) {
    failed = error;
  }
  --left;
  changed.notify();
}

// C6.5: complete when all replicas are; the first that ends badly decides.
awaitable<int> code_of_all(Tools& tools, const Step<plan::Completed>& step) {
  int code = 0;
  std::size_t left = step.params.create_steps.size();
  async::Signal changed(tools.executor);
  async::TaskGroup waiting(tools.executor);
  std::optional<Error> failed;
  for (const auto& key : step.params.create_steps) {
    const auto id = step.result_of<plan::Create>(key).id;
    waiting.spawn("end of " + key, [&, id] { return wait_for_end(tools, id, code, left, failed, changed); });
  }
  while (left > 0 && code == 0 && !failed) co_await changed.wait();
  if (failed) throw *failed;
  co_return code;
}

awaitable<Outcome> wait_until_completed(Tools& tools, Step<plan::Completed> step) {
  const auto stack = co_await tools.models.get(step.stack());
  const auto& service = stack.service(step.service());
  int code = 0;
  if (service.container) {
    if (step.params.create_steps.empty()) co_return Outcome{};  // C6.7: scale 0, nothing to wait for
    code = co_await code_of_all(tools, step);
  } else if (const auto row = co_await process_row(tools, stack.id, service.name)) {
    const auto exit = co_await tools.runs.wait(row->run_directory);
    code = exit.code;
  }
  if (code != 0)
    throw Error(ErrorKind::failed, "service \"" + service.name + "\" didn't complete successfully: exit " +
                                       std::to_string(code));  // C6.5
  co_return Outcome{};
}

}  // namespace

awaitable<Outcome> completed(Tools& tools, Step<plan::Completed> step) {
  const bool optional = step.params.optional;
  auto service = step.service();
  return unless_optional(optional, std::move(service), wait_until_completed(tools, std::move(step)));
}

}  // namespace stackd::steps
