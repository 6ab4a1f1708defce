// Engine: containers.
#include "daemon/docker/attached.hpp"
#include "daemon/docker/decode.hpp"
#include "daemon/docker/http.hpp"
#include "daemon/docker/streams.hpp"
#include "daemon/docker/words.hpp"
#include "daemon/util/error.hpp"

namespace stackd::docker {
namespace {

using util::Error;
using util::ErrorKind;

constexpr int k_default_grace = 10;  // seconds; Docker's own

std::string container_path(std::string_view id, std::string_view rest = "") {
  return "/containers/" + segment(id) + std::string(rest);
}

}  // namespace

awaitable<std::vector<ContainerSummary>> Engine::list_containers(Filters filters) {
  Query query;
  query.add("all", "1").filters(filters);
  Request request{.what = "cannot list containers", .path = "/containers/json" + query.str()};
  const auto list = co_await http_->call_json(std::move(request));
  std::vector<ContainerSummary> result;
  result.reserve(list.size());
  for (const auto& container : list) result.push_back(decode_container_summary(container));
  co_return result;
}

awaitable<std::optional<ContainerDetails>> Engine::inspect_container(std::string id) {
  Request request{.what = "cannot inspect container " + brief(id), .path = container_path(id, "/json")};
  const auto found = co_await http_->find_json(std::move(request));
  if (!found) co_return std::nullopt;
  co_return decode_container(*found);
}

awaitable<std::string> Engine::create_container(std::string name, json body, std::string platform) {
  Query query;
  if (!name.empty()) query.add("name", name);
  if (!platform.empty()) query.add("platform", platform);
  const auto version = co_await http_->version();
  // Podman takes none for 0 and kills at once, where Docker gives its ten seconds.
  if (version.podman && !body.contains("StopTimeout")) body["StopTimeout"] = k_default_grace;
  Request request{.what = "cannot create container " + name,
                  .method = "POST",
                  .path = "/containers/create" + query.str(),
                  .body = body.dump(-1, ' ', false, json::error_handler_t::replace),
                  .limit = k_slow_limit};
  const auto answer = co_await http_->call_json(std::move(request));
  auto id = text(answer, "Id");
  done(id, Done::created);
  co_return id;
}

awaitable<void> Engine::start_container(std::string id) {
  Request request{.what = "cannot start container " + brief(id),
                  .method = "POST",
                  .path = container_path(id, "/start"),
                  .limit = k_slow_limit,
                  .accepted = k_not_modified};
  co_await http_->call(std::move(request));
  done(id, Done::started);
}

awaitable<void> Engine::stop_container(std::string id, std::optional<int> seconds) {
  std::optional<int> own;
  if (!seconds) {
    const auto container = co_await inspect_container(id);
    if (container) own = container->stop_timeout;
  }
  Query query;
  if (seconds) query.add("t", std::to_string(*seconds));
  Request request{.what = "cannot stop container " + brief(id),
                  .method = "POST",
                  .path = container_path(id, "/stop") + query.str(),
                  .limit = stop_limit(seconds, own),
                  .accepted = k_not_modified};
  co_await http_->call(std::move(request));
  done(id, Done::stopped);
}

awaitable<void> Engine::kill_container(std::string id, std::string signal) {
  Query query;
  query.add("signal", signal);
  // 409 is what the engine answers when the container does not run.
  Request request{.what = "cannot send " + signal + " to container " + brief(id),
                  .method = "POST",
                  .path = container_path(id, "/kill") + query.str(),
                  .accepted = k_conflict};
  co_await http_->call(std::move(request));
}

awaitable<void> Engine::pause_container(std::string id) {
  Request request{
      .what = "cannot pause container " + brief(id), .method = "POST", .path = container_path(id, "/pause")};
  co_await http_->call(std::move(request));
}

awaitable<void> Engine::unpause_container(std::string id) {
  Request request{.what = "cannot unpause container " + brief(id),
                  .method = "POST",
                  .path = container_path(id, "/unpause")};
  co_await http_->call(std::move(request));
  done(id, Done::unpaused);
}

awaitable<void> Engine::rename_container(std::string id, std::string name) {
  Query query;
  query.add("name", name);
  Request request{.what = "cannot rename container " + brief(id) + " to " + name,
                  .method = "POST",
                  .path = container_path(id, "/rename") + query.str()};
  co_await http_->call(std::move(request));
  done(id, Done::renamed, name);
}

awaitable<void> Engine::set_restart_policy(std::string id, std::string policy, int retries) {
  const json body{{"RestartPolicy", {{"Name", policy}, {"MaximumRetryCount", retries}}}};
  Request request{.what = "cannot set the restart policy of container " + brief(id),
                  .method = "POST",
                  .path = container_path(id, "/update"),
                  .body = body.dump()};
  co_await http_->call(std::move(request));
}

awaitable<void> Engine::remove_container(std::string id, bool force, bool volumes) {
  Query query;
  query.add_if(volumes, "v").add_if(force, "force");
  const auto what = "cannot remove container " + brief(id);
  Request remove{.what = what,
                 .method = "DELETE",
                 .path = container_path(id) + query.str(),
                 .limit = k_slow_limit,
                 .accepted = k_not_found};
  bool being_removed = false;
  try {
    co_await http_->call(std::move(remove));
  } catch (const Error& e) {
    // Someone's earlier request is still at it (E5): then its end is what is asked for.
    being_removed = e.kind() == ErrorKind::conflict && is_being_removed(e.what());
    if (!being_removed) throw;
  }
  if (!being_removed) done(id, Done::removed);
  if (!being_removed) co_return;
  Request wait{.what = what,
               .method = "POST",
               .path = container_path(id, "/wait?condition=removed"),
               .limit = k_slow_limit,
               .accepted = k_not_found};
  co_await http_->call(std::move(wait));
  done(id, Done::removed);
}

awaitable<int> Engine::wait_container(std::string id) {
  const auto what = "cannot wait for container " + brief(id);
  Request request{.what = what,
                  .method = "POST",
                  .path = container_path(id, "/wait?condition=not-running"),
                  .limit = std::nullopt};
  const auto answer = co_await http_->call_json(std::move(request));
  if (const auto message = text(field(answer, "Error"), "Message"); !message.empty())
    throw Error(ErrorKind::engine, what + ": " + message);
  co_return static_cast<int>(number(answer, "StatusCode"));
}

awaitable<std::unique_ptr<Attached>> Engine::attach_container(std::string id, bool tty, bool input) {
  Query query;
  query.add("stream", "1").add("stdout", "1").add("stderr", "1").add_if(input, "stdin");
  Request request{.what = "cannot attach to container " + brief(id),
                  .method = "POST",
                  .path = container_path(id, "/attach") + query.str()};
  const auto what = request.what;
  auto connection = co_await http_->upgrade(std::move(request));
  co_return std::make_unique<Attached>(std::move(connection), what, tty);
}

awaitable<std::unique_ptr<Ending>> Engine::ending_of(std::string id, bool removed) {
  const auto what = "cannot wait for container " + brief(id);
  Request request{
      .what = what,
      .method = "POST",
      .path = container_path(id, removed ? "/wait?condition=removed" : "/wait?condition=next-exit"),
      .limit = std::nullopt};
  // The engine sends the head of its answer when it has begun to wait.
  auto body = co_await http_->open(std::move(request));
  co_return std::make_unique<Ending>(std::move(body), what);
}

awaitable<void> Engine::resize_container(std::string id, int rows, int columns) {
  Query query;
  query.add("h", std::to_string(rows)).add("w", std::to_string(columns));
  Request request{.what = "cannot resize the terminal of container " + brief(id),
                  .method = "POST",
                  .path = container_path(id, "/resize") + query.str()};
  co_await http_->call(std::move(request));
}

awaitable<void> Engine::put_archive(std::string id, std::string path, std::string tar) {
  Query query;
  query.add("path", path);
  Request request{.what = "cannot copy files into " + path + " of container " + brief(id),
                  .method = "PUT",
                  .path = container_path(id, "/archive") + query.str(),
                  .body = std::move(tar),
                  .content_type = "application/x-tar"};
  co_await http_->call(std::move(request));
}

awaitable<bool> Engine::has_path(std::string id, std::string path) {
  Query query;
  query.add("path", path);
  Request request{.what = "cannot look for " + path + " in container " + brief(id),
                  .path = container_path(id, "/archive") + query.str()};
  try {
    // The answer's head says it; the file itself is not read.
    co_await http_->open(std::move(request));
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::not_found) throw;
    co_return false;
  }
  co_return true;
}

awaitable<void> Engine::logs(std::string id, bool tty, LogOptions options, OutputSink sink) {
  Query query;
  query.add("stdout", "1").add("stderr", "1").add("tail", options.tail);
  query.add_if(options.follow, "follow").add_if(options.timestamps, "timestamps");
  if (!options.since.empty()) query.add("since", options.since);
  Request request{.what = "cannot read the log of container " + brief(id),
                  .path = container_path(id, "/logs") + query.str()};
  if (options.follow) request.limit = std::nullopt;
  const auto body = co_await http_->open(std::move(request));
  co_await hand_on(*body, tty, std::move(sink));
}

awaitable<Usage> Engine::usage(std::string id) {
  Request request{.what = "cannot measure container " + brief(id),
                  .path = container_path(id, "/stats?stream=false&one-shot=false")};
  co_return decode_usage(co_await http_->call_json(std::move(request)));
}

}  // namespace stackd::docker
