// Server-Sent Events. The id is the event's sequence number, so a client that comes back with Last-Event-ID
// loses none; passing notes (sequence 0) have no id and are not repeated.
#include <limits>

#include "daemon/api/answers.hpp"
#include "daemon/api/handler.hpp"
#include "daemon/api/query.hpp"
#include "daemon/async/alongside.hpp"
#include "daemon/async/signal.hpp"

namespace stackd::api {
namespace {

constexpr std::int64_t k_from_now = -1;  // as Manager::events takes it

std::string as_text(const proto::Event& event) {
  std::string text;
  if (event.sequence > 0) text = "id: " + std::to_string(event.sequence) + "\n";
  return text + "event: " + event.kind + "\ndata: " + dump(event) + "\n\n";
}

// Last-Event-ID is newer than ?after=: a browser that reconnects repeats the address.
std::int64_t begin_after(const http::Request& request, const Query& query, std::int64_t otherwise) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  if (const auto last = request.header("Last-Event-ID"); last && !last->empty())
    return parse_integer(*last, "header Last-Event-ID", 0, most);
  return query.integer("after", otherwise, 0, most);
}

awaitable<void> beat(http::ResponseWriter& writer, std::chrono::milliseconds interval) {
  for (;;) {
    co_await async::sleep_for(interval);
    co_await writer.write(": still here\n\n");
  }
}

awaitable<void> stream_events(Manager& manager, Options options, std::int64_t after, std::string stack,
                              std::string operation, http::ResponseWriter& writer) {
  writer.start("text/event-stream");
  const Manager::EventSink sink = [&writer](proto::Event event) -> awaitable<void> {
    co_await writer.write(as_text(event));
  };
  auto events = manager.events(after, stack, operation, sink);
  auto beating = beat(writer, options.heartbeat);
  co_await async::alongside(std::move(events), std::move(beating));
}

}  // namespace

awaitable<void> operation_events(Manager& manager, Options options, http::Request request,
                                 http::ResponseWriter& writer) {
  const auto after = begin_after(request, Query(request, {"after"}), 0);
  const auto operation =
      co_await manager.operation(request.path_value("id"));  // not found, before there is a stream
  co_await stream_events(manager, options, after, "", operation.id, writer);
}

awaitable<void> all_events(Manager& manager, Options options, http::Request request,
                           http::ResponseWriter& writer) {
  const Query query(request, {"after", "stack", "operation"});
  const auto after = begin_after(request, query, k_from_now);
  const auto stack = query.text("stack"), operation = query.text("operation");
  if (!stack.empty()) co_await manager.operations(stack, 1);
  if (!operation.empty()) co_await manager.operation(operation);
  co_await stream_events(manager, options, after, stack, operation, writer);
}

}  // namespace stackd::api
