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
