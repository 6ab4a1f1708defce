// What is told: the picture of now against what was told last (W7, W8).
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"
#include "daemon/world/picture.hpp"

namespace stackd::world {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds k_batch{20};
constexpr std::chrono::milliseconds k_window{1000};
constexpr std::size_t k_most_in_window = 5;

}  // namespace

struct Picture::Telling {
  struct One {
    store::StatusRow row;  // an empty status: it is not there any more
    std::string kind, operation;
    nlohmann::json data;
  };
  std::vector<One> all;
};

// Over five a second for one service: the first ones, the last and a count. Told later, when the window has
// room.
bool Picture::may_tell(Told& told, const std::string& status, const std::string& stack) {
  const auto now = Clock::now();
  while (!told.times.empty() && now - told.times.front() >= k_window) told.times.pop_front();
  if (told.times.size() < k_most_in_window) {
    told.times.push_back(now);
    return true;
  }
  if (told.last_seen != status) ++told.untold;
  told.last_seen = status;
  const auto at = told.times.front() + k_window;
  const auto later = later_.find(stack);
  if (later == later_.end() || later->second > at) later_[stack] = at;
  return false;
}

void Picture::compare(const StackNow& now, Telling& telling) {
  const auto& stack = now.row.id;
  const auto operation = now.operation && now.operation->state == "running" ? now.operation->id : "";
  std::set<std::string> there;
  for (const auto& s : now.services) {
    there.insert(s.name);
    auto& told = told_[{stack, s.name}];
    const bool first = told.row.stack_id.empty();
    // A service that was never up has nothing to tell. One that is ready and was changed by hand is told of.
    const bool same = told.row.status == s.status && (s.status != "ready" || told.row.reason == s.reason);
    if (same || (first && s.status == "down")) continue;
    if (!may_tell(told, s.status, stack)) continue;
    const auto from = first ? "down" : told.row.status;
    told.row = {stack, s.name, s.status, s.reason, s.since};
    nlohmann::json data{
        {"service", s.name}, {"status", s.status},          {"from", from},
        {"to", s.status},    {"cause", to_string(s.cause)}, {"since", util::format_time(s.since)}};
    if (!s.reason.empty()) data["reason"] = s.reason;
    if (s.exit_code) data["exit_code"] = *s.exit_code;
    if (const auto changes = std::exchange(told.untold, 0); changes > 1) data["changes"] = changes;
    told.last_seen = s.status;
    telling.all.push_back({told.row, "service.status", operation, std::move(data)});
  }
  for (auto at = told_.lower_bound({stack, ""}); at != told_.end() && at->first.first == stack;) {
    const auto service = at->first.second;
    if (service.empty() || there.contains(service)) {
      ++at;
      continue;
    }
    telling.all.push_back({{stack, service, "", "", 0}, "", "", {}});
    at = told_.erase(at);
  }
  auto& told = told_[{stack, ""}];
  if (told.row.status == now.status || (told.row.stack_id.empty() && now.status == "down")) return;
  const auto from = told.row.stack_id.empty() ? "down" : told.row.status;
  told.row = {stack, "", now.status, "", util::now_ms()};
  telling.all.push_back(
      {told.row, "stack.status", operation, {{"status", now.status}, {"from", from}, {"to", now.status}}});
}

bool Picture::engine_is_news() const {
  if (!monitor_.tried()) return false;
  const auto told = told_.find({"", ""});
  return told == told_.end() || told->second.row.status != (monitor_.connected() ? "found" : "lost");
}

// `engine.lost` and `engine.found`, once each; the first that is ever found is no news.
void Picture::compare_engine(Telling& telling) {
  const std::string status = monitor_.connected() ? "found" : "lost";
  if (!engine_is_news()) return;
  auto& told = told_[{"", ""}];
  const bool news = status == "lost" || told.row.status == "lost";
  told.row = {"", "", status, "", util::now_ms()};
  telling.all.push_back({told.row, news ? "engine." + status : "", "", nlohmann::json::object()});
}

awaitable<void> Picture::tell() {
  Telling telling;
  compare_engine(telling);
  for (const auto& stack : std::exchange(untold_, {})) {
    try {
      const auto now = co_await of(stack);
      compare(*now, telling);
    } catch (const util::Error& e) {
      if (e.kind() == util::ErrorKind::cancelled) throw;
      if (e.kind() == util::ErrorKind::not_found)  // its rows have gone with its own
        std::erase_if(told_, [&](const auto& told) { return told.first.first == stack; });
      else
        spdlog::warn("cannot tell what has changed of stack '{}': {}", stack, e.what());
    }
  }
  if (telling.all.empty()) co_return;
  journal_.ride([all = std::move(telling.all)](store::Database& db) {
    for (const auto& one : all) {
      if (one.row.status.empty()) {
        store::Statuses::remove(db, one.row.stack_id, one.row.service);
        continue;
      }
      if (!one.row.stack_id.empty() && !store::Stacks::get(db, one.row.stack_id)) continue;
      store::Statuses::put(db, one.row);
      if (!one.kind.empty()) journal::Journal::event(db, one.row.stack_id, one.operation, one.kind, one.data);
    }
  });
  // Somebody's commit comes in time when much goes on; otherwise it gets its own.
  const auto until = Clock::now() + k_batch;
  while (journal_.has_riders() && Clock::now() < until)
    co_await journal_.changed().wait_for(std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()));
  auto nothing = [](store::Database&) {};
  if (journal_.has_riders()) co_await journal_.commit(nothing);
}

awaitable<void> Picture::run() {
  if (!loaded_) co_await load();
  for (;;) {
    const auto now = Clock::now();
    std::erase_if(later_, [&](const auto& entry) {
      if (entry.second > now) return false;
      untold_.insert(entry.first);
      return true;
    });
    if (untold_.empty() && !engine_is_news()) {
      auto next = now + std::chrono::hours(1);
      for (const auto& [stack, at] : later_) next = std::min(next, at);
      co_await changed_.wait_for(std::chrono::ceil<std::chrono::milliseconds>(next - now));
      continue;
    }
    // What belongs together comes together: an end and the start after it, an inspect after its event.
    co_await async::sleep_for(k_batch);
    co_await tell();
  }
}

}  // namespace stackd::world
