#include "daemon/api/answers.hpp"
#include "daemon/api/body.hpp"
#include "daemon/api/handler.hpp"
#include "daemon/api/query.hpp"
#include "daemon/async/shielded.hpp"
#include "daemon/util/ids.hpp"

namespace stackd::api {
namespace {

using util::Error;
using util::ErrorKind;

constexpr std::size_t k_longest_key = 255;

// What the client calls this wish, so that it may send it twice and have it done once.
std::string key_of(const http::Request& request) {
  const std::string key(request.header("Idempotency-Key").value_or(""));
  if (key.size() > k_longest_key)
    throw Error(ErrorKind::invalid_request, "header Idempotency-Key must have 255 characters at the most");
  return key;
}

// A wish, once understood, is carried out though its client goes away.
template <class Wish>
Answer carry_out(Manager& manager, Wish wish, bool wait) {
  auto operation = co_await async::shielded(std::move(wish));
  co_return co_await operation_answer(manager, std::move(operation), wait);
}

using ServicesWish = awaitable<proto::Operation> (Manager::*)(std::string, proto::ServicesRequest,
                                                              std::string);

Answer for_services(Manager& manager, ServicesWish wish, const http::Request& request) {
  const bool wait = Query(request, {"wait"}).flag("wait");
  auto body = read_body<proto::ServicesRequest>(request.body);
  return carry_out(manager, (manager.*wish)(request.path_value("id"), std::move(body), key_of(request)),
                   wait);
}

// With a tag: who asks again with it (If-None-Match) and would get the same gets 304 and no text.
http::Response tagged(const http::Request& request, const std::string& mark, std::string body) {
  const auto tag = '"' + mark + '"';
  const auto known = request.header("If-None-Match");
  if (known && (*known == "*" || known->find(tag) != known->npos)) return {304, "", "", {{"ETag", tag}}};
  return {200, "application/json", std::move(body), {{"ETag", tag}}};
}

}  // namespace

Answer list_stacks(Manager& manager, http::Request request) {
  const auto directory = Query(request, {"directory"}).text("directory");
  const auto stacks = co_await manager.list(directory);
  std::string tags, body = R"({"stacks":[)";
  for (const auto& view : stacks) {
    if (body.back() == '}') body += ',';
    body += view->json;
    tags += view->stack.id + " " + view->tag + " ";
  }
  co_return tagged(request, util::sha256_hex(tags).substr(0, 16), body + "]}\n");
}

Answer bring_up(Manager& manager, http::Request request) {
  const bool wait = Query(request, {"wait"}).flag("wait");
  auto wish = manager.up(read_up_request(request.body), key_of(request));
  co_return co_await carry_out(manager, std::move(wish), wait);
}

proto::ImagesRequest read_images_request(const http::Request& request) {
  auto body = read_body<proto::ImagesRequest>(request.body);
  check_up_request(body.stack);
  if (body.action != "build" && body.action != "pull" && body.action != "push")
    throw Error(ErrorKind::invalid_request,
                "field 'action' must be build, pull or push, not \"" + body.action + "\"");
  if (!body.policy.empty() && body.policy != "always" && body.policy != "missing")
    throw Error(ErrorKind::invalid_request,
                "field 'policy' must be always or missing, not \"" + body.policy + "\"");
  for (const auto& [id, path] : body.ssh)
    if (!path.empty() && !path.starts_with('/'))
      throw Error(ErrorKind::invalid_request, "field 'ssh' must have absolute paths, not \"" + path + "\"");
  return body;
}

Answer images(Manager& manager, http::Request request) {
  const bool wait = Query(request, {"wait"}).flag("wait");
  auto wish = manager.images(read_images_request(request), key_of(request));
  co_return co_await carry_out(manager, std::move(wish), wait);
}

Answer bake(Manager& manager, http::Request request) {
  Query(request, {});
  auto body = read_images_request(request);
  const auto file = co_await manager.bake(std::move(body));
  co_return json_answer(file);
}

Answer get_stack(Manager& manager, http::Request request) {
  Query(request, {});
  const auto view = co_await manager.view(request.path_value("id"));
  co_return tagged(request, view->tag, view->json + "\n");
}

Answer wait_for_stack(Manager& manager, http::Request request) {
  constexpr std::int64_t k_longest = 24 * 3'600'000;
  const Query query(request, {"for", "service", "timeout_ms"});
  proto::WaitRequest wish;
  wish.wanted = query.text("for", wish.wanted);
  wish.services = query.list("service");
  wish.timeout_ms = query.integer("timeout_ms", wish.timeout_ms, 0, k_longest);
  if (wish.wanted != "ready" && wish.wanted != "healthy" && wish.wanted != "stopped" &&
      wish.wanted != "exited")
    throw Error(ErrorKind::invalid_request,
                "parameter 'for' must be ready, healthy, stopped or exited, not \"" + wish.wanted + "\"");
  const auto waited = co_await manager.wait_for(request.path_value("id"), std::move(wish));
  co_return json_answer(waited);
}

Answer take_down(Manager& manager, http::Request request) {
  const bool wait = Query(request, {"wait"}).flag("wait");
  auto body = read_body<proto::DownRequest>(request.body);
  check_down_request(body);
  auto wish = manager.down(request.path_value("id"), std::move(body), key_of(request));
  co_return co_await carry_out(manager, std::move(wish), wait);
}

Answer stop_stack(Manager& manager, http::Request request) {
  co_return co_await for_services(manager, &Manager::stop, request);
}
Answer start_stack(Manager& manager, http::Request request) {
  co_return co_await for_services(manager, &Manager::start, request);
}
Answer restart_stack(Manager& manager, http::Request request) {
  co_return co_await for_services(manager, &Manager::restart, request);
}

Answer roll_back(Manager& manager, http::Request request) {
  const bool wait = Query(request, {"wait"}).flag("wait");
  auto wish = manager.roll_back(request.path_value("id"), key_of(request));
  co_return co_await carry_out(manager, std::move(wish), wait);
}

Answer run_hooks(Manager& manager, http::Request request) {
  const bool wait = Query(request, {"wait"}).flag("wait");
  auto body = read_body<proto::HooksRunRequest>(request.body);
  auto wish = manager.run_hooks(request.path_value("id"), std::move(body), key_of(request));
  co_return co_await carry_out(manager, std::move(wish), wait);
}

Answer reset_hooks(Manager& manager, http::Request request) {
  Query(request, {});
  auto body = read_body<proto::HooksResetRequest>(request.body);
  const auto forgotten = co_await manager.reset_hooks(request.path_value("id"), std::move(body.phase));
  co_return json_answer({{"forgotten", forgotten}});
}

Answer forget_stack(Manager& manager, http::Request request) {
  Query(request, {});
  auto forgetting = manager.forget(request.path_value("id"));
  co_await std::move(forgetting);
  co_return http::Response{204, "", "", {}};
}

Answer stack_environment(Manager& manager, http::Request request) {
  const Query query(request, {"group", "secrets"});
  const auto environment =
      co_await manager.environment(request.path_value("id"), query.text("group"), query.flag("secrets"));
  co_return json_answer({{"environment", environment}});
}

Answer stack_top(Manager& manager, http::Request request) {
  Query(request, {});
  const auto top = co_await manager.top(request.path_value("id"));
  co_return json_answer(top);
}

Answer plan_wish(Manager& manager, http::Request request) {
  Query(request, {});
  auto body = read_body<proto::PlanRequest>(request.body);
  if (body.up) check_up_request(*body.up);
  if (body.down) check_down_request(*body.down);
  const auto plan = co_await manager.plan(std::move(body));
  co_return json_answer(plan);
}

Answer validate(Manager& manager, http::Request request) {
  Query(request, {});
  const auto validation = co_await manager.validate(read_up_request(request.body));
  co_return json_answer(validation);
}

Answer resolved_config(Manager& manager, http::Request request) {
  Query(request, {});
  const auto config = co_await manager.config(read_up_request(request.body));
  co_return json_answer(config);
}

Answer service_graph(Manager& manager, http::Request request) {
  Query(request, {});
  const auto graph = co_await manager.graph(read_up_request(request.body));
  co_return json_answer(graph);
}

}  // namespace stackd::api
