// Commands in containers: with frames both ways on an upgraded connection, or run to their end.
#include <functional>

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

// What a request asks for, but for where its ends go. Without frames there is nowhere to take input from.
using Call = std::function<awaitable<proto::ExecResult>(stacks::ExecEnds)>;

Call exec_call(Manager& manager, const http::Request& request, bool frames) {
  Query(request, {});
  auto wish = read_body<proto::ExecRequest>(request.body);
  wish.input = wish.input && frames;
  return [&manager, id = request.path_value("id"), wish](stacks::ExecEnds ends) {
    return manager.exec(id, wish, std::move(ends));
  };
}

Call run_call(Manager& manager, const http::Request& request, bool frames) {
  Query(request, {});
  auto wish = read_body<proto::RunRequest>(request.body);
  check_up_request(wish.stack);
  wish.input = wish.input && frames;
  return [&manager, wish](stacks::ExecEnds ends) { return manager.run(wish, std::move(ends)); };
}

Call attach_call(Manager& manager, const http::Request& request, bool frames) {
  Query(request, {});
  auto wish = read_body<proto::AttachRequest>(request.body);
  wish.input = wish.input && frames;
  return [&manager, id = request.path_value("id"), wish](stacks::ExecEnds ends) {
    return manager.attach(id, wish, std::move(ends));
  };
}

// How it ended, with the last of what it wrote.
Answer kept_answer(Call call) {
  async::Signal never(co_await asio::this_coro::executor);
  proto::ExecResult kept;
  auto ends = kept_in(kept, never);
  auto result = co_await call(std::move(ends));
  result.output = std::move(kept.output);
  result.errors = std::move(kept.errors);
  co_return json_answer(result);
}

}  // namespace

Answer exec(Manager& manager, http::Request request) {
  co_return co_await kept_answer(exec_call(manager, request, false));
}

awaitable<void> exec_frames(Manager& manager, http::Request request, http::Duplex& duplex) {
  co_await talk_in_frames(duplex, exec_call(manager, request, true));
}

Answer run(Manager& manager, http::Request request) {
  co_return co_await kept_answer(run_call(manager, request, false));
}

awaitable<void> run_frames(Manager& manager, http::Request request, http::Duplex& duplex) {
  co_await talk_in_frames(duplex, run_call(manager, request, true));
}

Answer attach(Manager& manager, http::Request request) {
  co_return co_await kept_answer(attach_call(manager, request, false));
}

awaitable<void> attach_frames(Manager& manager, http::Request request, http::Duplex& duplex) {
  co_await talk_in_frames(duplex, attach_call(manager, request, true));
}

}  // namespace stackd::api
