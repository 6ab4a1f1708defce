// Engine: commands run inside containers.
#include "daemon/async/signal.hpp"
#include "daemon/docker/decode.hpp"
#include "daemon/docker/http.hpp"
#include "daemon/docker/streams.hpp"
#include "daemon/util/error.hpp"

namespace stackd::docker {
namespace {

// Kept of each stream when there is no sink: the last part.
constexpr std::size_t k_kept_output = 1 << 20;

void keep(std::string& kept, std::string_view piece) {
  kept += piece;
  // Cut with some slack, so that a long output is not moved for each piece.
  if (kept.size() > 2 * k_kept_output) kept.erase(0, kept.size() - k_kept_output);
}

json exec_body(const ExecConfig& config) {
  json body{{"AttachStdout", true}, {"AttachStderr", true}, {"Cmd", config.argv}};
  if (!config.env.empty()) body["Env"] = config.env;
  if (!config.user.empty()) body["User"] = config.user;
  if (!config.working_dir.empty()) body["WorkingDir"] = config.working_dir;
  if (config.privileged) body["Privileged"] = true;
  if (config.tty) body["Tty"] = true;
  return body;
}

}  // namespace

awaitable<ExecResult> Engine::exec(std::string container, ExecConfig config, OutputSink sink,
                                   std::shared_ptr<std::string> told_id) {
  const auto what = "cannot run a command in container " + brief(container);
  Request create{.what = what,
                 .method = "POST",
                 .path = "/containers/" + segment(container) + "/exec",
                 .body = exec_body(config).dump(-1, ' ', false, json::error_handler_t::replace)};
  const auto created = co_await http_->call_json(std::move(create));
  const auto id = text(created, "Id");
  if (told_id) *told_id = id;

  ExecResult result;
  if (!sink)
    sink = [&result](Stream stream, std::string_view piece) -> awaitable<void> {
      keep(stream == Stream::out ? result.out : result.err, piece);
      co_return;
    };
  Request start{.what = what,
                .method = "POST",
                .path = "/exec/" + segment(id) + "/start",
                .body = json{{"Detach", false}, {"Tty", config.tty}}.dump(),
                .upgrade = true};
  const auto body = co_await http_->open(std::move(start));
  co_await hand_on(*body, config.tty, std::move(sink));

  // The output ends a moment before the engine knows the exit code; it sends no event that could be awaited
  // without a stream of its own.
  constexpr std::chrono::milliseconds k_longest_pause(500);
  for (auto pause = std::chrono::milliseconds(2);; pause = std::min(2 * pause, k_longest_pause)) {
    const auto state = co_await inspect_exec(id);
    if (!state) throw util::Error(util::ErrorKind::engine, what + ": the engine has forgotten the exec");
    if (state->exit_code) {
      result.exit_code = *state->exit_code;
      co_return result;
    }
    co_await async::sleep_for(pause);
  }
}

awaitable<std::optional<ExecState>> Engine::inspect_exec(std::string id) {
  Request request{.what = "cannot inspect exec " + brief(id), .path = "/exec/" + segment(id) + "/json"};
  const auto found = co_await http_->find_json(std::move(request));
  if (!found) co_return std::nullopt;
  co_return decode_exec(*found);
}

}  // namespace stackd::docker
