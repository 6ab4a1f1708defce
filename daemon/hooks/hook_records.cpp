#include "daemon/hooks/hook_records.hpp"

#include "daemon/hooks/hook_runner.hpp"
#include "daemon/logs/run_log.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/util/text.hpp"

namespace stackd::hooks {
namespace {

constexpr std::size_t k_kept = 4096;

std::string tail_of(const std::string& text, const std::vector<std::string>& secrets) {
  return resolve::mask(util::valid_utf8(text.size() > k_kept ? text.substr(text.size() - k_kept) : text),
                       secrets);
}

awaitable<void> write(Tools& tools, store::HookRunRow row, std::string event) {
  auto put = [row, event](store::Database& db) {
    store::HookRuns::put(db, row);
    journal::Journal::event(db, row.stack_id, row.operation_id, event, event_of(row));
  };
  co_await tools.journal.commit(put);
}

}  // namespace

store::HookRunRow hook_row(const Tools& tools, const store::OperationRow& operation, int step,
                           const model::Hook& hook, const std::string& id) {
  store::HookRunRow row;
  row.id = id;
  row.stack_id = operation.stack_id;
  row.operation_id = operation.id;
  row.step = step;
  row.phase = model::to_string(hook.phase);
  row.service = hook.service;
  row.place = model::to_string(resolve::place_of(hook));
  row.command = hook.text();
  row.index = hook.index;
  row.reason = operation.kind;
  row.log = tools.paths.hook_log(row.stack_id, row.service, row.phase, row.index).string();
  row.started_at = util::now_ms();
  return row;
}

awaitable<std::optional<store::HookRunRow>> known_run(Tools& tools, std::string id) {
  auto query = [id](store::Database& db) { return store::HookRuns::get(db, id); };
  co_return co_await tools.journal.run(query);
}

awaitable<void> begin_run(Tools& tools, store::HookRunRow row) {
  auto link = [row](async::FileWorker&) { return logs::link_run_log(row); };
  co_await tools.files.run(link);
  co_await write(tools, std::move(row), "hook.started");
}

awaitable<store::HookRunRow> end_run(Tools& tools, model::Stack stack, store::HookRunRow row, RunEnd end) {
  const auto secrets = resolve::secret_values(*stack.spec, *stack.facts);
  row.state = end.state;
  row.exit_code = end.exit_code;
  if (!end.reason.empty()) row.reason = resolve::mask(util::valid_utf8(end.reason), secrets);
  row.out_tail = tail_of(end.out, secrets);
  row.err_tail = tail_of(end.err, secrets);
  if (!row.ended_at) row.ended_at = util::now_ms();
  co_await write(tools, row, "hook.ended");
  co_return row;
}

awaitable<void> skip_run(Tools& tools, store::HookRunRow row, std::string why) {
  row.state = "skipped";
  row.reason = std::move(why);
  row.ended_at = row.started_at;
  co_await write(tools, std::move(row), "hook.ended");
}

}  // namespace stackd::hooks
