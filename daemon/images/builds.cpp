#include "daemon/images/builds.hpp"

#include "daemon/async/alongside.hpp"
#include "daemon/async/signal.hpp"
#include "daemon/process/engine_address.hpp"
#include "daemon/process/log_tail.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::images {
namespace {

using util::Error;
using util::ErrorKind;

constexpr std::chrono::seconds k_grace{3};
constexpr std::size_t k_log_limit = 16'000'000;

std::filesystem::path second(const std::filesystem::path& run) {
  return run.string() + "-again";
}

awaitable<void> hand_on(const docker::LineSink& line, process::LogPiece piece) {
  for (auto& text : util::split(piece.text, '\n'))
    if (!text.empty()) co_await line(std::move(text));
}

// Until it is cancelled.
awaitable<void> tell(process::LogTail& tail, docker::LineSink line) {
  for (;;) {
    auto piece = co_await tail.next();
    co_await hand_on(line, std::move(piece));
  }
}

awaitable<void> wait_for(process::Runs& runs, std::filesystem::path run, process::RunExit& exit) {
  exit = co_await runs.wait(std::move(run));
}

process::RunRequest run_request(const Build& what, const std::filesystem::path& run,
                                const std::filesystem::path& program) {
  process::RunRequest request;
  request.directory = run;
  request.argv = {program.string()};
  request.cwd = "/";
  request.env = what.environment;
  const auto text =
      nlohmann::json(what.request).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  for (std::size_t at = 0, part = 0; at < text.size(); at += k_request_part, ++part)
    request.env[k_request_variable + std::to_string(part)] = text.substr(at, k_request_part);
  request.log = what.log;
  request.log_limit = k_log_limit;
  request.secrets = what.secrets;
  request.grace = k_grace;
  return request;
}

}  // namespace

BuildFailure failure_in(const std::string& err_tail) {
  BuildFailure failure;
  failure.lines = util::split(util::trim(err_tail), '\n');
  const std::string_view mark = k_reason;
  if (!failure.lines.empty() && failure.lines.back().starts_with(mark)) {
    failure.reason = failure.lines.back().substr(mark.size());
    failure.lines.pop_back();
  }
  return failure;
}

Builds::Builds(asio::any_io_executor executor, docker::Engine& engine, process::Runs& runs,
               async::FileThread& files, std::filesystem::path program)
    : executor_(std::move(executor)),
      engine_(engine),
      runs_(runs),
      files_(files),
      program_(std::move(program)) {}

awaitable<bool> Builds::has_buildkit(dotdocker::Environment caller) {
  const auto said = caller.find("DOCKER_BUILDKIT");
  if (said != caller.end() && (said->second == "0" || said->second == "false")) co_return false;
  const auto engine = co_await engine_.version();
  co_return !engine.podman && engine.os != "windows";
}

awaitable<bool> Builds::build(Build what) {
  const auto engine = co_await engine_.version();
  what.request.engines = co_await process::engine_addresses(engine_.host());
  what.request.api = engine.api_version;
  auto exit = co_await follow(what, what.run);
  // The engine cancels what it builds for one that was killed, or goes on with it for the one that comes
  // next.
  if (exit.cause == process::Cause::lost || exit.cause == process::Cause::signalled)
    exit = co_await follow(what, second(what.run));
  if (exit.ok()) co_return true;
  const auto failure = failure_in(util::valid_utf8(exit.err_tail));
  const auto cannot = "cannot build image " + what.request.image + ": ";
  if (exit.cause == process::Cause::exited && exit.code == k_no_buildkit) co_return false;
  if (exit.cause == process::Cause::exited && exit.code == k_engine_lost)
    throw Error(ErrorKind::no_engine, cannot + failure.reason);
  auto why = failure.reason;
  if (why.empty()) why = exit.error.empty() ? "stackd-build did not run to its end" : exit.error;
  auto details = failure.lines;
  details.push_back("the whole log: cat " + what.log.string());
  throw Error(ErrorKind::failed, cannot + why, details);
}

awaitable<process::RunExit> Builds::follow(Build what, std::filesystem::path run) {
  auto request = run_request(what, run, program_);
  co_await runs_.start(std::move(request));
  process::RunExit exit;
  process::LogTail tail(executor_, files_, what.log);
  auto ending = wait_for(runs_, run, exit);
  if (!what.line) {
    co_await std::move(ending);
    co_return exit;
  }
  auto telling = tell(tail, what.line);
  // The log may have ended it: then only the end is missing.
  const bool whole = co_await async::alongside(std::move(ending), std::move(telling));
  if (!whole) co_await wait_for(runs_, run, exit);
  for (bool more = whole; more;) {
    auto piece = co_await tail.now();
    more = !piece.text.empty();
    co_await hand_on(what.line, std::move(piece));
  }
  co_return exit;
}

awaitable<void> Builds::end(std::filesystem::path run) {
  co_await runs_.end(run, k_grace);
  co_await runs_.end(second(run), k_grace);
}

}  // namespace stackd::images
