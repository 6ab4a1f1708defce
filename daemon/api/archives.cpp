// Files of containers, as tars both ways.
#include "daemon/api/answers.hpp"
#include "daemon/api/handler.hpp"
#include "daemon/api/query.hpp"
#include "daemon/util/error.hpp"

namespace stackd::api {
namespace {

constexpr int k_most_replicas = 100'000;

stacks::ContainerPath path_of(const Query& query) {
  stacks::ContainerPath what;
  what.container = query.text("container");
  what.service = query.text("service");
  what.path = query.text("path");
  what.index = static_cast<int>(query.integer("index", 0, 0, k_most_replicas));
  if (what.path.empty())
    throw util::Error(util::ErrorKind::invalid_request,
                      "parameter 'path' is missing: a path in the container");
  if (what.container.empty() && what.service.empty())
    throw util::Error(util::ErrorKind::invalid_request,
                      "parameter 'container' or 'service' is missing: whose path it is");
  return what;
}

}  // namespace

Answer path_stat(Manager& manager, http::Request request) {
  const Query query(request, {"container", "service", "index", "path"});
  const auto stat = co_await manager.path_stat(request.path_value("id"), path_of(query));
  co_return json_answer(stat);
}

awaitable<void> read_archive(Manager& manager, Options, http::Request request, http::ResponseWriter& writer) {
  const Query query(request, {"container", "service", "index", "path"});
  const auto begin = [&writer](const proto::PathStat& stat) {
    writer.start("application/x-tar", {{"Stackd-Path-Stat", dump(stat)}});
  };
  const auto sink = [&writer](std::string_view piece) -> awaitable<void> {
    co_await writer.write(std::string(piece));
  };
  co_await manager.read_archive(request.path_value("id"), path_of(query), begin, sink);
}

Answer write_archive(Manager& manager, http::Request request, http::RequestBody& body) {
  const Query query(request, {"container", "service", "index", "path", "owners", "no_wait"});
  const bool owners = query.flag("owners"), no_wait = query.flag("no_wait");
  const auto next = [&body] { return body.next(); };
  co_await manager.write_archive(request.path_value("id"), path_of(query), owners, no_wait, next);
  co_return json_answer(nlohmann::json::object());
}

}  // namespace stackd::api
