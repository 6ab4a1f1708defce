// Engine: commands run inside containers.
#include "daemon/async/signal.hpp"
#include "daemon/docker/attached.hpp"
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
  if (config.input) body["AttachStdin"] = true;
  return body;
}

Request start_request(const std::string& id, bool detach, bool tty) {
  return {.what = "cannot run exec " + brief(id),
          .method = "POST",
          .path = "/exec/" + segment(id) + "/start",
          .body = json{{"Detach", detach}, {"Tty", tty}}.dump()};
}

}  // namespace

awaitable<std::string> Engine::create_exec(std::string container, ExecConfig config) {
  Request create{.what = "cannot run a command in container " + brief(container),
                 .method = "POST",
                 .path = "/containers/" + segment(container) + "/exec",
                 .body = exec_body(config).dump(-1, ' ', false, json::error_handler_t::replace)};
  const auto created = co_await http_->call_json(std::move(create));
  co_return text(created, "Id");
}

awaitable<ExecResult> Engine::exec(std::string container, ExecConfig config, OutputSink sink,
                                   std::shared_ptr<std::string> told_id) {
  const auto id = co_await create_exec(container, config);
  if (told_id) *told_id = id;

  ExecResult result;
  if (!sink)
    sink = [&result](Stream stream, std::string_view piece) -> awaitable<void> {
      keep(stream == Stream::out ? result.out : result.err, piece);
      co_return;
    };
  Request start = start_request(id, false, config.tty);
  start.upgrade = true;
  const auto body = co_await http_->open(std::move(start));
  co_await hand_on(*body, config.tty, std::move(sink));
  result.exit_code = co_await exec_exit_code(id);
  co_return result;
}

awaitable<std::unique_ptr<Attached>> Engine::start_exec(std::string id, bool tty) {
  Request start = start_request(id, false, tty);
  const auto what = start.what;
  auto connection = co_await http_->upgrade(std::move(start));
  co_return std::make_unique<Attached>(std::move(connection), what, tty);
}

awaitable<void> Engine::start_exec_detached(std::string id, bool tty) {
  Request start = start_request(id, true, tty);
  co_await http_->call(std::move(start));
}

// The output ends a moment before the engine knows the exit code; it sends no event that could be awaited
// without a stream of its own.
awaitable<int> Engine::exec_exit_code(std::string id) {
  constexpr std::chrono::milliseconds k_longest_pause(500);
  for (auto pause = std::chrono::milliseconds(2);; pause = std::min(2 * pause, k_longest_pause)) {
    const auto state = co_await inspect_exec(id);
    if (!state)
      throw util::Error(util::ErrorKind::engine,
                        "cannot learn how exec " + brief(id) + " ended: the engine has forgotten it");
    if (state->exit_code) co_return *state->exit_code;
    co_await async::sleep_for(pause);
  }
}

awaitable<void> Engine::resize_exec(std::string id, int rows, int columns) {
  Query query;
  query.add("h", std::to_string(rows)).add("w", std::to_string(columns));
  Request request{.what = "cannot resize the terminal of exec " + brief(id),
                  .method = "POST",
                  .path = "/exec/" + segment(id) + "/resize" + query.str()};
  co_await http_->call(std::move(request));
}

awaitable<std::optional<ExecState>> Engine::inspect_exec(std::string id) {
  Request request{.what = "cannot inspect exec " + brief(id), .path = "/exec/" + segment(id) + "/json"};
  const auto found = co_await http_->find_json(std::move(request));
  if (!found) co_return std::nullopt;
  co_return decode_exec(*found);
}

}  // namespace stackd::docker
