#include "daemon/stacks/attended/execs.hpp"

#include "daemon/async/deadline.hpp"
#include "daemon/async/wind_up.hpp"
#include "daemon/process/end_exec.hpp"
#include "daemon/stacks/attended/ending.hpp"
#include "daemon/util/error.hpp"

namespace stackd::stacks {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds k_grace{2000};     // between TERM and KILL; a shell that is asked ignores the first
constexpr milliseconds k_pid_limit{500};  // from the start of one until the engine knows its pid

// Its state once its pid is known, or it is over, or the engine does not know it.
awaitable<std::optional<docker::ExecState>> state_of(docker::Engine& engine, std::string exec) {
  const auto give_up = std::chrono::steady_clock::now() + k_pid_limit;
  auto state = co_await engine.inspect_exec(exec);
  while (state && state->pid == 0 && !state->exit_code && std::chrono::steady_clock::now() < give_up) {
    co_await async::sleep_for(milliseconds(20));
    state = co_await engine.inspect_exec(exec);
  }
  co_return state;
}

awaitable<void> end_tree(docker::Engine& engine, store::ExecRow row) {
  const auto state = co_await state_of(engine, row.exec);
  if (!state || !state->running || state->pid == 0) co_return;
  const auto version = co_await engine.version();
  process::HungExec hung{engine.host(), version.api_version, row.container, state->pid,
                         Execs::mark_of(row.id)};
  co_await process::end_exec(std::move(hung), k_grace);
}

}  // namespace

Execs::Execs(asio::any_io_executor executor, journal::Journal& journal, docker::Engine& engine)
    : journal_(journal), engine_(engine), tasks_(executor) {}

std::string Execs::mark_of(const std::string& id) {
  return "STACKD_RUN=" + id;
}

awaitable<void> Execs::begin(store::ExecRow row) {
  auto write = [row](store::Database& db) {
    store::Execs::put(db, row);
    const nlohmann::json data{{"id", row.id},
                              {"exec", row.exec},
                              {"service", row.service},
                              {"container", row.container},
                              {"command", row.command}};
    journal::Journal::event(db, row.stack_id, "", "exec.started", data);
  };
  co_await journal_.commit(write);
}

awaitable<void> Execs::over(store::ExecRow row, std::optional<int> exit_code, std::string reason) {
  auto write = [row, exit_code, reason](store::Database& db) {
    store::Execs::remove(db, row.id);
    nlohmann::json data{{"id", row.id}, {"service", row.service}};
    if (exit_code) data["exit_code"] = *exit_code;
    if (!reason.empty()) data["reason"] = reason;
    journal::Journal::event(db, row.stack_id, "", "exec.ended", data);
  };
  co_await journal_.commit(write);
}

void Execs::end(store::ExecRow row) {
  const auto name = "end of " + row.id;
  tasks_.spawn(name, [this, row] { return end_in_container(row); });
}

awaitable<void> Execs::end_in_container(store::ExecRow row) {
  auto attempt = [this, &row] { return end_tree(engine_, row); };
  co_await try_until_it_works("exec " + row.id, attempt);
  co_await over(row, std::nullopt, "its client has gone");
}

awaitable<void> Execs::recover() {
  const auto left = co_await journal_.run([](store::Database& db) { return store::Execs::all(db); });
  for (const auto& row : left) end(row);
}

awaitable<void> Execs::stop() {
  co_await async::wind_up(tasks_, k_endings_limit);
}

}  // namespace stackd::stacks
