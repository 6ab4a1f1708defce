// Engine: its stream of events.
#include "daemon/docker/decode.hpp"
#include "daemon/docker/http.hpp"
#include "daemon/docker/streams.hpp"
#include "daemon/util/error.hpp"

namespace stackd::docker {

awaitable<void> Engine::events(Filters filters, std::optional<std::string> since,
                               std::function<void(const Event&)> sink) {
  Query query;
  if (since) query.add("since", *since);
  query.filters(filters);
  const std::string what = "cannot follow the engine's events";
  Request request{.what = what, .path = "/events" + query.str(), .limit = std::nullopt};
  const auto body = co_await http_->open(std::move(request));
  Lines lines([&sink](std::string_view line) {
    if (const auto event = decode_event(line)) sink(*event);
  });
  try {
    for (auto piece = co_await body->next(); !piece.empty(); piece = co_await body->next()) lines.feed(piece);
  } catch (const util::Error& e) {
    if (e.kind() == util::ErrorKind::no_engine) http_->lose();
    throw;
  }
  http_->lose();
  throw util::Error(util::ErrorKind::no_engine,
                    what + ": the Docker engine at " + host() + " ended the stream");
}

awaitable<void> Engine::tell_events(Filters filters, std::string since, std::string until,
                                    std::function<awaitable<void>(Event)> sink) {
  Query query;
  if (!since.empty()) query.add("since", since);
  if (!until.empty()) query.add("until", until);
  query.filters(filters);
  Request request{
      .what = "cannot follow the engine's events", .path = "/events" + query.str(), .limit = std::nullopt};
  const auto body = co_await http_->open(std::move(request));
  std::vector<Event> events;
  Lines lines([&events](std::string_view line) {
    if (auto event = decode_event(line)) events.push_back(std::move(*event));
  });
  for (auto piece = co_await body->next(); !piece.empty(); piece = co_await body->next()) {
    events.clear();
    lines.feed(piece);
    for (auto& event : events) co_await sink(std::move(event));
  }
}

}  // namespace stackd::docker
