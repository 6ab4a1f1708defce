// Engine: networks and volumes.
#include "daemon/docker/decode.hpp"
#include "daemon/docker/http.hpp"
#include "daemon/docker/words.hpp"
#include "daemon/util/error.hpp"

namespace stackd::docker {
namespace {

using util::Error;
using util::ErrorKind;

std::string dump(const json& body) {
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

awaitable<std::vector<NetworkDetails>> Engine::list_networks(Filters filters) {
  Query query;
  query.filters(filters);
  Request request{.what = "cannot list networks", .path = "/networks" + query.str()};
  const auto list = co_await http_->call_json(std::move(request));
  std::vector<NetworkDetails> result;
  for (const auto& network : list) result.push_back(decode_network(network));
  co_return result;
}

awaitable<std::string> Engine::create_network(json body) {
  Request request{.what = "cannot create network " + text(body, "Name"),
                  .method = "POST",
                  .path = "/networks/create",
                  .body = dump(body)};
  const auto answer = co_await http_->call_json(std::move(request));
  co_return text(answer, "Id");
}

awaitable<std::optional<NetworkDetails>> Engine::inspect_network(std::string id) {
  Request request{.what = "cannot inspect network " + brief(id), .path = "/networks/" + segment(id)};
  const auto found = co_await http_->find_json(std::move(request));
  if (!found) co_return std::nullopt;
  co_return decode_network(*found);
}

awaitable<void> Engine::connect_network(std::string network, json body) {
  Request request{
      .what = "cannot connect container " + brief(text(body, "Container")) + " to network " + brief(network),
      .method = "POST",
      .path = "/networks/" + segment(network) + "/connect",
      .body = dump(body)};
  co_await http_->call(std::move(request));
}

awaitable<void> Engine::disconnect_network(std::string network, std::string container) {
  const json body{{"Container", container}, {"Force", true}};
  Request request{
      .what = "cannot disconnect container " + brief(container) + " from network " + brief(network),
      .method = "POST",
      .path = "/networks/" + segment(network) + "/disconnect",
      .body = dump(body),
      .accepted = k_not_found};
  co_await http_->call(std::move(request));
}

awaitable<void> Engine::remove_network(std::string id) {
  const auto what = "cannot remove network " + brief(id);
  Request request{
      .what = what, .method = "DELETE", .path = "/networks/" + segment(id), .accepted = k_forbidden};
  std::optional<Answer> answer;
  try {
    answer = co_await http_->call(std::move(request));
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::not_found) throw;
  }
  if (!answer || answer->status != k_forbidden) co_return;
  // "has active endpoints" is 403 where a volume in use is 409; to our callers it is the same.
  const auto error = engine_error(what, answer->status, answer->body);
  const bool in_use = has_active_endpoints(error.what());
  throw Error(in_use ? ErrorKind::conflict : ErrorKind::engine, error.what());
}

awaitable<std::vector<VolumeDetails>> Engine::list_volumes(Filters filters) {
  Query query;
  query.filters(filters);
  Request request{.what = "cannot list volumes", .path = "/volumes" + query.str()};
  const auto answer = co_await http_->call_json(std::move(request));
  std::vector<VolumeDetails> result;
  for (const auto& volume : field(answer, "Volumes")) result.push_back(decode_volume(volume));
  co_return result;
}

awaitable<void> Engine::create_volume(json body) {
  Request request{.what = "cannot create volume " + text(body, "Name"),
                  .method = "POST",
                  .path = "/volumes/create",
                  .body = dump(body)};
  co_await http_->call(std::move(request));
}

awaitable<std::optional<VolumeDetails>> Engine::inspect_volume(std::string name) {
  Request request{.what = "cannot inspect volume " + name, .path = "/volumes/" + segment(name)};
  const auto found = co_await http_->find_json(std::move(request));
  if (!found) co_return std::nullopt;
  co_return decode_volume(*found);
}

awaitable<void> Engine::remove_volume(std::string name) {
  Request request{.what = "cannot remove volume " + name,
                  .method = "DELETE",
                  .path = "/volumes/" + segment(name),
                  .accepted = k_not_found};
  co_await http_->call(std::move(request));
}

}  // namespace stackd::docker
