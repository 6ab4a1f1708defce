// Questions: answered from the picture and the store; the engine is not asked.
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/logs/run_log.hpp"
#include "daemon/plan/plan.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/stacks/lookup.hpp"
#include "daemon/stacks/manager.hpp"
#include "daemon/stacks/views.hpp"
#include "daemon/steps/common/hook_images.hpp"
#include "daemon/util/error.hpp"

namespace stackd::stacks {
namespace {

using nlohmann::json;
using util::Error;
using util::ErrorKind;

constexpr int k_events_at_once = 500;

StackViewPtr view_of(Parts& parts, const std::shared_ptr<const world::StackNow>& now) {
  auto& known = parts.shown[now->row.id];
  if (known.number == now->number) return known.view;
  auto view = std::make_shared<StackView>();
  view->tag = parts.facts.started_at + "-" + std::to_string(now->number);
  view->stack = stack_view(*now);
  view->json = json(view->stack).dump(-1, ' ', false, json::error_handler_t::replace);
  known = {now->number, view};
  return view;
}

}  // namespace

awaitable<std::vector<StackViewPtr>> Manager::list(std::string directory) {
  const auto stacks = co_await parts_.picture.all();
  std::vector<StackViewPtr> views;
  for (const auto& now : stacks)
    if (directory.empty() || now->row.directory == directory) views.push_back(view_of(parts_, now));
  co_return views;
}

awaitable<StackViewPtr> Manager::view(std::string stack) {
  if (auto now = co_await parts_.picture.known(stack)) co_return view_of(parts_, now);
  const auto row = co_await find_stack(parts_, stack);
  const auto now = co_await parts_.picture.of(row.id);
  co_return view_of(parts_, now);
}

awaitable<proto::Stack> Manager::get(std::string stack) {
  const auto found = co_await view(std::move(stack));
  co_return found->stack;
}

namespace {

bool is_as_wished(const proto::Service& service, const std::string& wanted) {
  const auto is = [&service](std::initializer_list<std::string_view> statuses) {
    return std::find(statuses.begin(), statuses.end(), service.status) != statuses.end();
  };
  if (wanted == "stopped") return is({"stopped", "exited", "completed", "down", "failed"});
  if (wanted == "exited") return is({"exited", "completed"});
  if (!is({"ready", "completed"})) return false;
  const auto well = [](const auto& container) {
    return container.health.empty() || container.health == "healthy";
  };
  return wanted == "ready" || std::all_of(service.containers.begin(), service.containers.end(), well);
}

proto::Waited waited_for(const proto::Stack& stack, const proto::WaitRequest& request) {
  proto::Waited waited{stack.id, request.wanted, false, {}};
  for (const auto& service : stack.services) {
    const bool asked = request.services.empty() || std::find(request.services.begin(), request.services.end(),
                                                             service.name) != request.services.end();
    if (asked && !is_as_wished(service, request.wanted))
      waited.blocking.push_back(
          {service.name, service.status, service.reason, service.since, service.waiting_for});
  }
  waited.reached = waited.blocking.empty();
  return waited;
}

}  // namespace

awaitable<proto::Waited> Manager::wait_for(std::string stack, proto::WaitRequest request) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(request.timeout_ms);
  auto seen = co_await view(stack);
  const auto model = co_await parts_.models.get(seen->stack.id);
  for (const auto& service : request.services) check_service(model, service);
  for (;;) {
    auto waited = waited_for(seen->stack, request);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (waited.reached || left.count() <= 0) co_return waited;
    if (parts_.picture.is_current(seen->stack.id)) co_await parts_.picture.changed().wait_for(left);
    seen = co_await view(seen->stack.id);
  }
}

awaitable<std::vector<proto::Operation>> Manager::operations(std::string stack, int limit) {
  if (!stack.empty()) {
    const auto row = co_await find_stack(parts_, stack);
    stack = row.id;
  }
  auto query = [stack, limit](store::Database& db) {
    std::vector<proto::Operation> views;
    for (const auto& row : store::Operations::of_stack(db, stack, limit))
      views.push_back(operation_view(db, row));
    return views;
  };
  co_return co_await parts_.journal.run(query);
}

awaitable<proto::Operation> Manager::operation(std::string id) {
  struct Rows {
    std::optional<store::OperationRow> operation;
    std::vector<store::StepRow> steps;
  };
  auto query = [id](store::Database& db) {
    return Rows{store::Operations::get(db, id), store::Steps::of_operation(db, id)};
  };
  const auto rows = co_await parts_.journal.run(query);
  if (!rows.operation) throw Error(ErrorKind::not_found, "there is no operation '" + id + "'");
  co_return operation_view(*rows.operation, rows.steps);
}

awaitable<std::vector<proto::HookRun>> Manager::hooks(std::string stack, int limit) {
  const auto row = co_await find_stack(parts_, stack);
  auto query = [id = row.id, limit](store::Database& db) { return store::HookRuns::of_stack(db, id, limit); };
  const auto rows = co_await parts_.journal.run(query);
  std::vector<proto::HookRun> views;
  for (const auto& run : rows) views.push_back(hook_view(run));
  co_return views;
}

awaitable<proto::HookRun> Manager::hook_run(std::string id) {
  auto query = [id](store::Database& db) { return store::HookRuns::get(db, id); };
  const auto row = co_await parts_.journal.run(query);
  if (!row) throw Error(ErrorKind::not_found, "there is no hook run '" + id + "'");
  auto view = hook_view(*row);
  // Its own, not the hook's newest; one from before runs had their own is gone when there is a newer one.
  auto look = [own = logs::run_log(row->log, row->id)](async::FileWorker&) {
    return std::filesystem::exists(own) ? own.string() : "";
  };
  if (row->log.empty()) co_return view;
  const auto own = co_await parts_.files.run(look);
  if (!own.empty()) view.log = own;
  co_return view;
}

awaitable<std::map<std::string, std::string>> Manager::environment(std::string stack, std::string group,
                                                                   bool secrets) {
  const auto row = co_await find_stack(parts_, stack);
  const auto model = co_await parts_.models.fresh(row.id);
  auto environment = resolve::group_environment(*model.spec, *model.facts, group.empty() ? "stack" : group);
  if (secrets) co_return environment;
  const auto hidden = resolve::secret_values(*model.spec, *model.facts);
  for (auto& [name, value] : environment) value = resolve::mask(std::move(value), hidden);
  co_return environment;
}

awaitable<void> Manager::events(std::int64_t sequence, std::string stack, std::string operation,
                                EventSink sink) {
  if (!stack.empty()) {
    const auto row = co_await find_stack(parts_, stack);
    stack = row.id;
  }
  auto note = parts_.journal.newest_note();
  bool ended = false;
  const auto newest =
      co_await parts_.journal.run([](store::Database& db) { return store::Events::newest(db); });
  if (sequence < 0) sequence = newest;
  // A number that was never given is of a journal that is gone, and all of this one's events are new.
  if (sequence > newest) sequence = 0;
  if (!operation.empty()) {
    auto query = [operation](store::Database& db) { return store::Operations::get(db, operation); };
    const auto row = co_await parts_.journal.run(query);
    if (!row) throw Error(ErrorKind::not_found, "there is no operation '" + operation + "'");
    ended = row->state != "running";
  }
  for (;;) {
    const auto commits = parts_.journal.commits();
    auto query2 = [sequence, stack, operation](store::Database& db) {
      return store::Events::after(db, sequence, stack, operation, k_events_at_once);
    };
    const auto rows = co_await parts_.journal.run(query2);
    // Notes of now, before the rows of now: a hook's last line comes before its end.
    for (const auto& passing :
         std::vector<journal::Note>(parts_.journal.notes().begin(), parts_.journal.notes().end())) {
      if (passing.number <= note) continue;
      note = passing.number;
      if ((!stack.empty() && passing.stack_id != stack) ||
          (!operation.empty() && passing.operation_id != operation))
        continue;
      proto::Event event{0,
                         util::format_time(util::now_ms()),
                         passing.stack_id,
                         passing.operation_id,
                         passing.kind,
                         passing.data};
      co_await sink(std::move(event));
    }
    for (const auto& row : rows) {
      sequence = row.sequence;
      auto event = event_view(row);
      co_await sink(std::move(event));
      if (!operation.empty() && row.kind == "operation.ended") co_return;
    }
    if (!rows.empty()) continue;
    if (ended) co_return;  // its events were pruned, or were delivered before
    // Another commit may have come while the rows were read on the store's thread: look at the count before
    // waiting.
    if (parts_.journal.commits() == commits && parts_.journal.newest_note() == note)
      co_await parts_.journal.changed().wait();
  }
}

awaitable<std::vector<std::string>> Manager::prune(bool dry_run) {
  auto query = [](store::Database& db) { return store::Stacks::names(db); };
  const auto rows = co_await parts_.journal.run(query);
  std::set<std::string> own;
  for (const auto& row : rows) own.insert(row.id);
  const auto kept = co_await steps::hook_image_tags_in_use(parts_.steps, "");
  const auto unused = co_await steps::unused_hook_images(parts_.steps, own, kept);
  if (dry_run) co_return std::vector<std::string>(unused.begin(), unused.end());
  const std::set<std::string> no_more;
  co_return co_await steps::remove_hook_images(parts_.steps, own, no_more, kept);
}

awaitable<proto::Info> Manager::info() {
  proto::Info info;
  info.version = STACKD_VERSION;
  info.home = parts_.paths.home.string();
  info.socket = parts_.facts.socket;
  info.log_level = parts_.facts.log_level;
  info.started_at = parts_.facts.started_at;
  info.port_first = parts_.facts.ports.first;
  info.port_last = parts_.facts.ports.last;
  info.pid = ::getpid();
  const auto& turns = parts_.turns;
  const auto in_us = [](auto time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  };
  info.longest_turn_us = in_us(turns.longest);
  info.longest_turn_of = turns.longest_what;
  info.longest_wait_us = in_us(turns.longest_wall);
  info.longest_lag_us = in_us(turns.lag);
  info.recent_lag_us = in_us(turns.recent_lag);
  info.long_turns = static_cast<std::int64_t>(turns.long_ones);
  info.engine_host = parts_.engine.host();
  info.engine_chosen_by = parts_.facts.engine_chosen_by;
  try {
    const auto engine = co_await parts_.engine.version();
    info.engine_state = "reachable";
    info.engine_version = engine.version;
    info.engine_api_version = engine.api_version;
  } catch (const Error& e) {
    info.engine_state = "unreachable";
    info.engine_error = e.what();
  }
  struct Counts {
    int stacks = 0, running = 0;
    std::uint64_t commits = 0;
  };
  const auto counts = co_await parts_.journal.run([](store::Database& db) {
    return Counts{static_cast<int>(store::Stacks::names(db).size()),
                  static_cast<int>(store::Operations::running(db).size()), db.commits()};
  });
  info.stacks = counts.stacks;
  info.operations_running = counts.running;
  info.store_commits = static_cast<std::int64_t>(counts.commits);
  co_return info;
}

}  // namespace stackd::stacks
