// Commands in containers: with frames both ways on an upgraded connection, or run to their end.
#include <memory>

#include "daemon/api/answers.hpp"
#include "daemon/api/body.hpp"
#include "daemon/api/exec_frames.hpp"
#include "daemon/api/handler.hpp"
#include "daemon/api/query.hpp"
#include "daemon/async/signal.hpp"

namespace stackd::api {
namespace {

// Of each stream, the last of it; cut with some slack, so that a long output is not moved for each piece.
constexpr std::size_t k_kept = 1 << 20;

void keep(std::string& kept, std::string_view piece) {
  kept += piece;
  if (kept.size() > 2 * k_kept) kept.erase(0, kept.size() - k_kept);
}

// Ends of a client that only waits.
stacks::ExecEnds kept_in(proto::ExecResult& result, async::Signal& never) {
  stacks::ExecEnds ends;
  ends.started = [](proto::ExecStarted) -> awaitable<void> { co_return; };
  ends.output = [&result](bool errors, std::string_view bytes) -> awaitable<void> {
    keep(errors ? result.errors : result.output, bytes);
    co_return;
  };
  ends.input = [&never]() -> awaitable<stacks::ExecInput> {
    co_await never.wait();
    co_return stacks::ExecInput{};
  };
  return ends;
}

proto::RunRequest read_run(const std::string& body) {
  auto wish = read_body<proto::RunRequest>(body);
  check_up_request(wish.stack);
  return wish;
}

}  // namespace

Answer exec(Manager& manager, http::Request request) {
  Query(request, {});
  auto wish = read_body<proto::ExecRequest>(request.body);
  wish.input = false;
  async::Signal never(co_await asio::this_coro::executor);
  proto::ExecResult kept;
  auto ends = kept_in(kept, never);
  auto result = co_await manager.exec(request.path_value("id"), std::move(wish), std::move(ends));
  result.output = std::move(kept.output);
  result.errors = std::move(kept.errors);
  co_return json_answer(result);
}

awaitable<void> exec_frames(Manager& manager, http::Request request, http::Duplex& duplex) {
  Query(request, {});
  auto wish = read_body<proto::ExecRequest>(request.body);
  auto call = [&manager, id = request.path_value("id"), wish](stacks::ExecEnds ends) {
    return manager.exec(id, wish, std::move(ends));
  };
  co_await talk_in_frames(duplex, call);
}

Answer run(Manager& manager, http::Request request) {
  Query(request, {});
  auto wish = read_run(request.body);
  wish.input = false;
  async::Signal never(co_await asio::this_coro::executor);
  proto::ExecResult kept;
  auto ends = kept_in(kept, never);
  auto result = co_await manager.run(std::move(wish), std::move(ends));
  result.output = std::move(kept.output);
  result.errors = std::move(kept.errors);
  co_return json_answer(result);
}

awaitable<void> run_frames(Manager& manager, http::Request request, http::Duplex& duplex) {
  Query(request, {});
  auto wish = read_run(request.body);
  auto call = [&manager, wish](stacks::ExecEnds ends) { return manager.run(wish, std::move(ends)); };
  co_await talk_in_frames(duplex, call);
}

}  // namespace stackd::api
