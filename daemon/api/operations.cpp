#include "daemon/api/answers.hpp"
#include "daemon/api/body.hpp"
#include "daemon/api/handler.hpp"
#include "daemon/api/query.hpp"
#include "daemon/async/shielded.hpp"

namespace stackd::api {
namespace {

constexpr int k_operations_listed = 100;

// With `steps`, be it an empty list: this is the one place where a client looks for them.
nlohmann::json with_steps(const proto::Operation& operation) {
  nlohmann::json json = operation;
  if (!json.contains("steps")) json["steps"] = nlohmann::json::array();
  return json;
}

}  // namespace

Answer list_operations(Manager& manager, http::Request request) {
  const Query query(request, {"stack", "limit"});
  const auto limit = static_cast<int>(query.integer("limit", k_operations_listed, 1, k_most_listed));
  const auto operations = co_await manager.operations(query.text("stack"), limit);
  co_return json_answer({{"operations", operations}});
}

Answer get_operation(Manager& manager, http::Request request) {
  Query(request, {});
  const auto operation = co_await manager.operation(request.path_value("id"));
  co_return json_answer(with_steps(operation));
}

Answer cancel_operation(Manager& manager, http::Request request) {
  const bool wait = Query(request, {"wait"}).flag("wait");
  if (const auto body = parse_body(request.body); !body.is_object() || !body.empty())
    throw util::Error(util::ErrorKind::invalid_request, "the body must be empty: cancelling takes no fields");
  auto cancelling = manager.cancel(request.path_value("id"));
  auto operation = co_await async::shielded(std::move(cancelling));
  co_return co_await operation_answer(manager, std::move(operation), wait);
}

Answer operation_answer(Manager& manager, proto::Operation operation, bool wait) {
  if (wait) {
    auto ended = co_await manager.wait(operation.id);
    ended.joined = operation.joined;
    co_return json_answer(with_steps(ended));
  }
  auto answer = json_answer(operation, 202);
  answer.headers.emplace_back("Location", "/v1/operations/" + operation.id);
  co_return answer;
}

}  // namespace stackd::api
