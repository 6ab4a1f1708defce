#include "daemon/stacks/hook_records.hpp"

#include "daemon/hooks/policy.hpp"
#include "daemon/hooks/run_log.hpp"
#include "daemon/spec/environment.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stacks {
namespace {

constexpr std::size_t k_tail = 4096;

std::string tail_of(const std::string& text, const std::vector<std::string>& secrets) {
  return spec::mask(util::valid_utf8(text.size() > k_tail ? text.substr(text.size() - k_tail) : text),
                    secrets);
}

awaitable<void> write(Services& services, store::HookRunRow row, std::string event) {
  auto put = [row, event](store::Database& db) {
    store::HookRuns::put(db, row);
    operations::Journal::event(db, row.stack_id, row.operation_id, event, hooks::event_of(row));
  };
  co_await services.journal.commit(put);
}

}  // namespace

store::HookRunRow hook_row(const Services& services, const store::OperationRow& operation, int step,
                           const spec::Hook& hook, const std::string& id) {
  store::HookRunRow row;
  row.id = id;
  row.stack_id = operation.stack_id;
  row.operation_id = operation.id;
  row.step = step;
  row.phase = spec::to_string(hook.phase);
  row.service = hook.service;
  row.place = hooks::to_string(hooks::place_of(hook));
  row.command = hook.text();
  row.index = hook.index;
  row.reason = operation.kind;
  row.log = services.paths.hook_log(row.stack_id, row.service, row.phase, row.index).string();
  row.started_at = util::now_ms();
  return row;
}

awaitable<std::optional<store::HookRunRow>> known_run(Services& services, std::string id) {
  auto query = [id](store::Database& db) { return store::HookRuns::get(db, id); };
  co_return co_await services.journal.run(query);
}

awaitable<void> begin_run(Services& services, store::HookRunRow row) {
  hooks::link_run_log(row);
  co_await write(services, std::move(row), "hook.started");
}

awaitable<store::HookRunRow> end_run(Services& services, Model model, store::HookRunRow row, RunEnd end) {
  const auto secrets = spec::secret_values(*model.spec, *model.facts);
  row.state = end.state;
  row.exit_code = end.exit_code;
  if (!end.reason.empty()) row.reason = spec::mask(util::valid_utf8(end.reason), secrets);
  row.out_tail = tail_of(end.out, secrets);
  row.err_tail = tail_of(end.err, secrets);
  if (!row.ended_at) row.ended_at = util::now_ms();
  co_await write(services, row, "hook.ended");
  co_return row;
}

awaitable<void> skip_run(Services& services, store::HookRunRow row, std::string why) {
  row.state = "skipped";
  row.reason = std::move(why);
  row.ended_at = row.started_at;
  co_await write(services, std::move(row), "hook.ended");
}

}  // namespace stackd::stacks
