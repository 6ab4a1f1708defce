// Containers as they are, and what is done to them at once.
#include "daemon/api/answers.hpp"
#include "daemon/api/body.hpp"
#include "daemon/api/handler.hpp"
#include "daemon/api/query.hpp"

namespace stackd::api {
namespace {

using Verb = awaitable<proto::ContainersDone> (Manager::*)(std::string, proto::ContainersRequest);

Answer carried_out(Manager& manager, Verb verb, http::Request request) {
  Query(request, {});
  auto wish = read_body<proto::ContainersRequest>(request.body);
  auto doing = (manager.*verb)(request.path_value("id"), std::move(wish));
  const auto done = co_await std::move(doing);
  co_return json_answer(done);
}

}  // namespace

Answer list_containers(Manager& manager, http::Request request) {
  Query(request, {});
  const auto rows = co_await manager.containers(request.path_value("id"));
  co_return json_answer({{"containers", rows}});
}

Answer list_volumes(Manager& manager, http::Request request) {
  Query(request, {});
  const auto volumes = co_await manager.volumes(request.path_value("id"));
  co_return json_answer({{"volumes", volumes}});
}

Answer container_images(Manager& manager, http::Request request) {
  Query(request, {});
  const auto images = co_await manager.container_images(request.path_value("id"));
  co_return json_answer({{"images", images}});
}

// One document, or with `stream` one a line for ever; each takes a second, which is what it is of.
awaitable<void> stats(Manager& manager, Options, http::Request request, http::ResponseWriter& writer) {
  const Query query(request, {"service", "all", "stream"});
  const bool stream = query.flag("stream"), all = query.flag("all");
  const auto services = query.list("service");
  for (;;) {
    const auto now = co_await manager.stats(request.path_value("id"), services, all);
    if (!writer.started()) writer.start(stream ? "application/x-ndjson" : "application/json");
    auto line = dump(now) + "\n";
    co_await writer.write(std::move(line));
    if (!stream) co_return;
  }
}

awaitable<void> container_events(Manager& manager, Options, http::Request request,
                                 http::ResponseWriter& writer) {
  const Query query(request, {"service", "since", "until"});
  const auto id = request.path_value("id");
  co_await manager.get(id);  // what there is not is no answer that has begun
  const auto sink = [&writer](proto::ContainerEvent event) -> awaitable<void> {
    auto line = dump(event) + "\n";
    co_await writer.write(std::move(line));
  };
  const auto since = engine_time(query.text("since"), "since"),
             until = engine_time(query.text("until"), "until");
  writer.start("application/x-ndjson");
  co_await manager.container_events(id, query.list("service"), since, until, sink);
}

Answer kill_containers(Manager& manager, http::Request request) {
  return carried_out(manager, &Manager::kill, std::move(request));
}
Answer pause_containers(Manager& manager, http::Request request) {
  return carried_out(manager, &Manager::pause, std::move(request));
}
Answer unpause_containers(Manager& manager, http::Request request) {
  return carried_out(manager, &Manager::unpause, std::move(request));
}
Answer remove_containers(Manager& manager, http::Request request) {
  return carried_out(manager, &Manager::remove, std::move(request));
}

}  // namespace stackd::api
