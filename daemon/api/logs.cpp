#include <algorithm>

#include "daemon/api/answers.hpp"
#include "daemon/api/handler.hpp"
#include "daemon/api/query.hpp"
#include "daemon/async/alongside.hpp"
#include "daemon/async/signal.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"
#include "daemon/util/time.hpp"
#include "proto/time.hpp"

namespace stackd::api {
namespace {

constexpr std::string_view k_ndjson = "application/x-ndjson";

// Lines as Compose prints them, "web-1  | text": as wide as the widest name so far.
class LogText {
public:
  LogText(bool json, bool timestamps) : json_(json), timestamps_(timestamps) {}

  std::string content_type() const { return json_ ? std::string(k_ndjson) : "text/plain; charset=utf-8"; }

  std::string of(const proto::LogLine& line) {
    if (json_) return dump(line) + "\n";
    auto name = line.service + "-" + std::to_string(line.number);
    width_ = std::max(width_, name.size());
    name.resize(width_, ' ');
    return name + "  | " + (timestamps_ && !line.at.empty() ? line.at + " " : "") + line.text + "\n";
  }

private:
  bool json_, timestamps_;
  std::size_t width_ = 0;
};

// What was written later is left out; what has no known time is not.
std::optional<std::int64_t> last_time(const Query& query) {
  const auto until = engine_time(query.text("until"), "until");
  if (until.empty()) return std::nullopt;
  if (query.flag("follow"))
    throw util::Error(util::ErrorKind::invalid_request, "parameters 'until' and 'follow' exclude each other");
  const auto point = until.find('.');
  return std::stoll(until.substr(0, point)) * 1000 + std::stoll(until.substr(point + 1));
}

bool wants_json(const http::Request& request, const Query& query) {
  const auto format = query.text("format");
  if (format == "json") return true;
  if (format == "text") return false;
  if (!format.empty())
    throw util::Error(util::ErrorKind::invalid_request,
                      "parameter 'format' must be json or text, not '" + format + "'");
  const auto accept = request.header("Accept").value_or("");
  return accept.find(k_ndjson) != std::string_view::npos ||
         accept.find("application/json") != std::string_view::npos;
}

// A log that is silent must show its head all the same; one that cannot be had is refused before that.
awaitable<void> start_soon(http::ResponseWriter& writer, std::string content_type,
                           std::chrono::milliseconds patience) {
  co_await async::sleep_for(patience);
  if (!writer.started()) writer.start(content_type);
  for (;;) co_await async::sleep_for(std::chrono::hours(24));
}

}  // namespace

awaitable<void> service_logs(Manager& manager, Options options, http::Request request,
                             http::ResponseWriter& writer) {
  const Query query(request,
                    {"service", "tail", "since", "until", "follow", "timestamps", "format", "after", "keep"});
  proto::LogsRequest wish;
  wish.services = query.list("service");
  wish.tail = query.text("tail", "all");
  wish.since = engine_time(query.text("since"), "since");
  wish.follow = query.flag("follow");
  wish.keep = query.flag("keep");
  const auto until = last_time(query);
  const bool timestamps = query.flag("timestamps");
  wish.timestamps = timestamps || until;
  wish.after = query.list("after");
  if (wish.tail != "all") parse_integer(wish.tail, "parameter 'tail'", 0, 1'000'000'000);
  LogText text(wants_json(request, query), timestamps);
  if (request.method == "HEAD") {
    co_await manager.get(request.path_value("id"));
    writer.start(text.content_type());
  }

  const Manager::LogSink sink = [&writer, &text, until](proto::LogLine line) -> awaitable<void> {
    if (const auto at = proto::parse_time(line.at); until && at && *at > *until) co_return;
    if (!writer.started()) writer.start(text.content_type());
    co_await writer.write(text.of(line));
  };
  auto lines = manager.logs(request.path_value("id"), std::move(wish), sink);
  auto starting = start_soon(writer, text.content_type(), options.log_patience);
  co_await async::alongside(std::move(lines), std::move(starting));
  if (!writer.started()) writer.start(text.content_type());
}

}  // namespace stackd::api
