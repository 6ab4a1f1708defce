#include "daemon/hooks/container_run.hpp"

#include <algorithm>

#include "daemon/async/deadline.hpp"
#include "daemon/async/task_group.hpp"
#include "daemon/docker/in_flight.hpp"
#include "daemon/hooks/newest.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/time.hpp"

namespace stackd::hooks {
namespace {

using docker::ContainerDetails;
using process::Cause;
using util::Error;
using util::ErrorKind;

constexpr std::size_t k_tail = 4096;

struct Output {
  Output(const asio::any_io_executor& executor, logs::RunLog& l) : log(l), newest(executor) {}
  logs::RunLog& log;
  NewestLine newest;
  NewestBytes out{k_tail}, err{k_tail};
  std::uint64_t size = 0;
};

bool has_started(const ContainerDetails& container) {
  return container.state != "created";
}

// The container of this run, made now or before.
awaitable<std::string> ensure_created(docker::Engine& engine, const translate::HookContainer& hook) {
  auto there = co_await engine.inspect_container(hook.name);
  if (!there) {
    const auto id = co_await docker::create_or_find(engine, hook.name, hook.body, hook.platform);
    if (hook.more_networks.empty()) co_return id;
    there = co_await engine.inspect_container(id);
    if (!there) throw Error(ErrorKind::engine, "container " + hook.name + " is gone");
  }
  if (has_started(*there)) co_return there->id;
  for (const auto& [network, endpoint] : hook.more_networks) {
    if (there->networks.contains(network)) continue;
    const nlohmann::json body{{"Container", there->id}, {"EndpointConfig", endpoint}};
    co_await engine.connect_network(network, body);
  }
  co_return there->id;
}

// A start that is on its way is its only one.
awaitable<void> ensure_started(docker::Engine& engine, std::string id, bool resumed) {
  bool landed = false;
  if (resumed) landed = co_await docker::start_landed(engine, id, 0);
  if (!landed) co_await engine.start_container(id);
}

awaitable<void> take(Output& output, docker::Stream stream, std::string_view piece) {
  output.size += piece.size();
  output.newest.take(piece);
  (stream == docker::Stream::err ? output.err : output.out).append(piece);
  co_await output.log.append(std::string(piece));
}

awaitable<int> follow_to_the_end(docker::Engine& engine, std::string id, std::shared_ptr<Output> output) {
  docker::LogOptions options;
  options.follow = true;
  auto sink = [output](docker::Stream stream, std::string_view piece) {
    return take(*output, stream, piece);
  };
  co_await engine.logs(id, false, options, sink);
  const auto code = co_await engine.wait_container(id);
  // The engine may end what it lets follow before the container's last words: what is missing comes from the
  // whole.
  options.follow = false;
  auto rest = [output, known = output->size](docker::Stream stream,
                                             std::string_view piece) mutable -> awaitable<void> {
    const auto skipped = std::min<std::uint64_t>(known, piece.size());
    known -= skipped;
    if (skipped < piece.size()) co_await take(*output, stream, piece.substr(skipped));
  };
  co_await engine.logs(id, false, options, rest);
  co_return code;
}

awaitable<int> follow_within(docker::Engine& engine, std::string id, std::shared_ptr<Output> output,
                             std::optional<std::chrono::milliseconds> timeout) {
  auto following = follow_to_the_end(engine, std::move(id), std::move(output));
  if (!timeout) co_return co_await std::move(following);
  co_return co_await async::within(*timeout, "hook", std::move(following));
}

}  // namespace

awaitable<ContainerRunResult> run_container_hook(docker::Engine& engine, ContainerRun run,
                                                 logs::RunLog& log) {
  const auto executor = co_await asio::this_coro::executor;
  ContainerRunResult result;
  auto output = std::make_shared<Output>(executor, log);
  result.exit.started_at = util::now_ms();
  bool out_of_time = false;
  std::optional<Error> refused;
  try {
    result.id = co_await ensure_created(engine, run.hook);
    co_await ensure_started(engine, result.id, run.resumed);
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::no_engine || e.kind() == ErrorKind::timed_out) throw;
    refused = e;
  }
  if (refused) {
    // C4.9: what could not be started is removed, and the engine's own words are returned.
    co_await engine.remove_container(run.hook.name, true, true);
    result.id.clear();
    result.exit.cause = Cause::not_started;
    result.exit.error = refused->what();
    result.exit.ended_at = util::now_ms();
    co_return result;
  }
  async::TaskGroup telling(executor);
  telling.spawn("output of " + run.hook.name,
                [output, on_line = run.on_line] { return output->newest.tell(on_line); });
  try {
    auto following = follow_within(engine, result.id, output, run.timeout);
    result.exit.code = co_await telling.during(std::move(following));
    result.exit.cause = Cause::exited;
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::timed_out) throw;
    out_of_time = true;
  }
  if (out_of_time) {
    co_await engine.kill_container(result.id, "KILL");
    result.exit.cause = Cause::timed_out;
    result.exit.code = 137;
  }
  result.exit.ended_at = util::now_ms();
  result.exit.out_tail = output->out.text();
  result.exit.err_tail = output->err.text();
  co_await log.finish();
  co_return result;
}

}  // namespace stackd::hooks
