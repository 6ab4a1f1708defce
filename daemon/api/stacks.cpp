#include "daemon/api/answers.hpp"
#include "daemon/api/body.hpp"
#include "daemon/api/handler.hpp"
#include "daemon/api/query.hpp"
#include "daemon/async/shielded.hpp"

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

}  // namespace

Answer list_stacks(Manager& manager, http::Request request) {
  Query(request, {});
  const auto stacks = co_await manager.list();
  co_return json_answer({{"stacks", stacks}});
}

Answer bring_up(Manager& manager, http::Request request) {
  const bool wait = Query(request, {"wait"}).flag("wait");
  auto wish = manager.up(read_up_request(request.body), key_of(request));
  co_return co_await carry_out(manager, std::move(wish), wait);
}

Answer get_stack(Manager& manager, http::Request request) {
  Query(request, {});
  const auto stack = co_await manager.get(request.path_value("id"));
  co_return json_answer(stack);
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
