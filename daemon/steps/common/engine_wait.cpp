#include "daemon/steps/common/engine_wait.hpp"

#include <algorithm>

#include "daemon/async/alongside.hpp"
#include "daemon/plan/order.hpp"
#include "daemon/plan/step_kinds.hpp"
#include "daemon/plan/wish.hpp"
#include "daemon/util/text.hpp"

namespace stackd::steps {
namespace {

using util::Error;

// Whoever asks for something while the engine has been away for longer is told at once.
constexpr std::chrono::seconds k_just_lost{10};
constexpr std::chrono::milliseconds k_unnoticed{500};

bool is_plan(const std::string& kind) {
  return kind == plan::PlanUp::k_kind || kind == plan::PlanDown::k_kind;
}

awaitable<void> tell(Tools& tools, const operations::StepContext& context, std::string message) {
  auto write = [stack = context.operation.stack_id, operation = context.operation.id,
                message](store::Database& db) {
    journal::Journal::event(db, stack, operation, "warning", {{"message", message}});
  };
  co_await tools.journal.commit(write);
}

// Who is depended on comes first.
std::vector<std::string> in_order(const model::Stack& stack, std::vector<std::string> ids,
                                  const world::Monitor& monitor) {
  const auto after = plan::comes_after(*stack.spec);
  std::map<std::string, int> depth;
  const auto deep = [&](const auto& self, const std::string& service) -> int {
    if (const auto known = depth.find(service); known != depth.end()) return known->second;
    int most = 0;
    if (const auto found = after.find(service); found != after.end())
      for (const auto& other : found->second) most = std::max(most, self(self, other) + 1);
    return depth[service] = most;
  };
  std::vector<std::pair<int, std::string>> ranked;
  for (const auto& id : ids)
    if (const auto state = monitor.find(id)) ranked.emplace_back(deep(deep, state->service), id);
  std::sort(ranked.begin(), ranked.end());
  for (std::size_t index = 0; index < ranked.size(); ++index) ids[index] = ranked[index].second;
  ids.resize(ranked.size());
  return ids;
}

awaitable<void> start_what_was_lost(Tools& tools, const operations::StepContext& context) {
  const auto& operation = context.operation;
  if (operation.mode == "rollback" || operation.cancel_requested ||
      !plan::brings_up(plan::kind_from(operation.kind)))
    co_return;
  const auto stack = co_await tools.models.get(operation.stack_id);
  for (const auto& id : in_order(stack, tools.monitor.lost(stack.id), tools.monitor)) {
    const auto state = tools.monitor.find(id);
    if (!state || !state->dead()) continue;  // another step was faster
    co_await tools.engine.start_container(id);
    co_await tell(tools, context, "the engine has lost '" + state->name + "': it was started again");
  }
}

awaitable<void> until_lost(Tools& tools) {
  while (!tools.monitor.went_away()) co_await tools.monitor.changed().wait();
}

}  // namespace

awaitable<void> while_engine_is_there(Tools& tools, awaitable<void> work) {
  auto watch = until_lost(tools);
  const bool there = co_await async::alongside(std::move(work), std::move(watch));
  if (!there) throw Error(util::ErrorKind::no_engine, "the engine at " + tools.engine.host() + " went away");
}

awaitable<void> wait_for_engine(Tools& tools, operations::StepContext context, Error lost) {
  if (is_plan(context.step.kind) && tools.monitor.away() > k_just_lost) throw lost;
  const auto give_up = std::chrono::steady_clock::now() + tools.engine_patience;
  co_await tell(tools, context,
                context.step.key + " waits up to " + util::format_duration(tools.engine_patience) +
                    " for the engine: " + lost.what());
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(give_up - std::chrono::steady_clock::now());
    if (left.count() <= 0) throw lost.wrap("waited " + util::format_duration(tools.engine_patience));
    // The monitor tells when it is back. It may not have noticed yet that it went, so then the engine is
    // asked.
    if (!tools.monitor.connected()) {
      co_await tools.monitor.changed().wait_for(left);
      continue;
    }
    try {
      co_await tools.engine.version();
      co_await start_what_was_lost(tools, context);
      co_return;
    } catch (const Error& error) {
      if (error.kind() != util::ErrorKind::no_engine) throw;
    }
    co_await tools.monitor.changed().wait_for(std::min(left, k_unnoticed));
  }
}

}  // namespace stackd::steps
