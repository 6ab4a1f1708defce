#include "daemon/hooks/container_run.hpp"

#include <algorithm>

#include "daemon/async/deadline.hpp"
#include "daemon/docker/in_flight.hpp"
#include "daemon/logs/run_log.hpp"
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
  logs::RunLog log;
  NewestBytes out{k_tail}, err{k_tail};
  std::size_t size = 0;
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

void take(Output& output, docker::Stream stream, std::string_view piece,
          const std::function<void(const std::string&)>& on_line) {
  output.size += piece.size();
  output.log.append(piece);
  (stream == docker::Stream::err ? output.err : output.out).append(piece);
  const auto end = piece.find_last_not_of("\r\n");
  if (end == std::string_view::npos) return;
  const auto begin = piece.find_last_of('\n', end);
  on_line(std::string(piece.substr(begin == std::string_view::npos ? 0 : begin + 1,
                                   end - (begin == std::string_view::npos ? -1 : begin))));
}

awaitable<int> follow_to_the_end(docker::Engine& engine, std::string id, std::shared_ptr<Output> output,
                                 std::function<void(const std::string&)> on_line) {
  docker::LogOptions options;
  options.follow = true;
  auto sink = [output, on_line](docker::Stream stream, std::string_view piece) {
    take(*output, stream, piece, on_line);
  };
  co_await engine.logs(id, false, options, sink);
  const auto code = co_await engine.wait_container(id);
  // The engine may end what it lets follow before the container's last words: what is missing comes from the
  // whole.
  options.follow = false;
  auto rest = [output, on_line, known = output->size](docker::Stream stream, std::string_view piece) mutable {
    const auto skipped = std::min(known, piece.size());
    known -= skipped;
    if (skipped < piece.size()) take(*output, stream, piece.substr(skipped), on_line);
  };
  co_await engine.logs(id, false, options, rest);
  co_return code;
}

}  // namespace

void NewestBytes::append(std::string_view piece) {
  kept_.append(piece);
  if (kept_.size() > 2 * limit_) kept_.erase(0, kept_.size() - limit_);
}

std::string NewestBytes::text() const {
  if (kept_.size() <= limit_) return kept_;
  const auto newline = kept_.find('\n', kept_.size() - limit_);
  return newline == std::string::npos ? kept_.substr(kept_.size() - limit_) : kept_.substr(newline + 1);
}

awaitable<ContainerRunResult> run_container_hook(docker::Engine& engine, translate::HookContainer hook,
                                                 std::filesystem::path log, std::vector<std::string> secrets,
                                                 std::optional<std::chrono::milliseconds> timeout,
                                                 bool resumed,
                                                 std::function<void(const std::string&)> on_line) {
  ContainerRunResult result;
  auto output = std::make_shared<Output>(Output{logs::RunLog(std::move(log), std::move(secrets))});
  result.exit.started_at = util::now_ms();
  bool out_of_time = false;
  std::optional<Error> refused;
  try {
    result.id = co_await ensure_created(engine, hook);
    co_await ensure_started(engine, result.id, resumed);
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::no_engine || e.kind() == ErrorKind::timed_out) throw;
    refused = e;
  }
  if (refused) {
    // C4.9: what could not be started is removed, and the engine's own words are returned.
    co_await engine.remove_container(hook.name, true, true);
    result.id.clear();
    result.exit.cause = Cause::not_started;
    result.exit.error = refused->what();
    result.exit.ended_at = util::now_ms();
    co_return result;
  }
  try {
    auto following = follow_to_the_end(engine, result.id, output, on_line);
    if (timeout)
      result.exit.code = co_await async::within(*timeout, "hook", std::move(following));
    else
      result.exit.code = co_await std::move(following);
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
  output->log.finish();
  co_return result;
}

}  // namespace stackd::hooks
