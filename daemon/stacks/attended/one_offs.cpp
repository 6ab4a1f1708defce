#include "daemon/stacks/attended/one_offs.hpp"

#include "daemon/async/deadline.hpp"
#include "daemon/async/wind_up.hpp"
#include "daemon/docker/in_flight.hpp"
#include "daemon/stacks/attended/ending.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"

namespace stackd::stacks {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds k_create_lands{5000}, k_look_again{100};  // E5: what a dead daemon had asked for

// The container of this record; one that is being made is waited for.
awaitable<std::optional<docker::ContainerDetails>> container_of(docker::Engine& engine, std::string run) {
  const docker::Filters filters{{"label", std::string(translate::label::k_operation) + "=" + run}};
  const auto give_up = std::chrono::steady_clock::now() + k_create_lands;
  for (;;) {
    const auto found = co_await engine.list_containers(filters);
    if (!found.empty()) co_return co_await docker::when_usable(engine, found.front().id);
    if (std::chrono::steady_clock::now() > give_up) co_return std::nullopt;
    co_await async::sleep_for(k_look_again);
  }
}

}  // namespace

OneOffs::OneOffs(steps::Tools& tools) : tools_(tools), tasks_(tools.executor) {}

awaitable<void> OneOffs::begin(store::OneOffRow row, std::string command) {
  auto write = [row, command](store::Database& db) {
    store::OneOffs::put(db, row);
    const nlohmann::json data{
        {"id", row.id}, {"service", row.service}, {"container", row.name}, {"command", command}};
    journal::Journal::event(db, row.stack_id, "", "run.started", data);
  };
  co_await tools_.journal.commit(write);
}

awaitable<void> OneOffs::let_go(store::OneOffRow row) {
  row.attached = false;
  auto write = [row](store::Database& db) { store::OneOffs::put(db, row); };
  co_await tools_.journal.run(write);
}

awaitable<void> OneOffs::over(store::OneOffRow row, std::optional<int> exit_code, std::string reason) {
  auto write = [row, exit_code, reason](store::Database& db) {
    store::OneOffs::remove(db, row.id);
    nlohmann::json data{{"id", row.id}, {"service", row.service}, {"container", row.name}};
    if (exit_code) data["exit_code"] = *exit_code;
    if (!reason.empty()) data["reason"] = reason;
    journal::Journal::event(db, row.stack_id, "", "run.ended", data);
  };
  co_await tools_.journal.commit(write);
}

void OneOffs::end(store::OneOffRow row) {
  const auto name = "end of " + row.id;
  tasks_.spawn(name, [this, row] { return end_container(row); });
}

awaitable<void> OneOffs::end_container(store::OneOffRow row) {
  auto attempt = [this, &row]() -> awaitable<void> {
    co_await end_hooks(row);
    co_await take_away(row);
  };
  co_await try_until_it_works("one-off " + row.name, attempt);
  co_await over(row, std::nullopt, row.attached ? "its client has gone" : "it runs on by itself");
}

awaitable<void> OneOffs::take_away(store::OneOffRow row) {
  const auto there = co_await container_of(tools_.engine, row.id);
  if (!there) co_return;
  // One that was never started is of no use to anybody.
  const bool started = there->state != "created";
  if (started && !row.attached) co_return;
  if (started) co_await tools_.engine.stop_container(there->id, std::nullopt);
  if (!started || row.remove) co_await tools_.engine.remove_container(there->id, true, true);
}

// A hook that is still at it belongs to who has gone (X9).
awaitable<void> OneOffs::end_hooks(store::OneOffRow row) {
  const auto running =
      co_await tools_.journal.run([](store::Database& db) { return store::HookRuns::running(db); });
  for (const auto& hook : running)
    if (hook.id.starts_with(row.id + ".")) co_await tools_.hooks.end(hook, "its one-off was stopped");
}

awaitable<void> OneOffs::recover() {
  const auto left = co_await tools_.journal.run([](store::Database& db) { return store::OneOffs::all(db); });
  for (const auto& row : left) end(row);
}

awaitable<void> OneOffs::stop() {
  co_await async::wind_up(tasks_, k_endings_limit);
}

}  // namespace stackd::stacks
