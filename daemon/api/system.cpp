#include <array>

#include "daemon/api/answers.hpp"
#include "daemon/api/body.hpp"
#include "daemon/api/handler.hpp"
#include "daemon/api/query.hpp"
#include "proto/schema.hpp"

namespace stackd::api {
namespace {

constexpr std::array<std::string_view, 7> k_statuses{"starting", "up",     "degraded", "stopping",
                                                     "stopped",  "failed", "down"};

// Prometheus' text format, one metric after another.
class MetricsText {
public:
  void metric(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_ +=
        "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " " + std::string(type) + "\n";
  }
  void value(const std::string& labels, const std::string& number) {
    text_ += name_ + labels + " " + number + "\n";
  }
  void value(std::uint64_t number) { value("", std::to_string(number)); }
  const std::string& text() const { return text_; }

private:
  std::string name_, text_;
};

std::string label(std::string_view name, std::string_view value) {
  std::string text = "{" + std::string(name) + "=\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c == '\n' ? ' ' : c;
  }
  return text + "\"}";
}

}  // namespace

Answer ping(Manager&, http::Request request) {
  Query(request, {});
  co_return json_answer({{"ok", true}});
}

Answer version(Manager& manager, http::Request request) {
  Query(request, {});
  const auto info = co_await manager.info();
  nlohmann::json json{
      {"version", info.version}, {"api_version", info.api_version}, {"engine_state", info.engine_state}};
  if (!info.engine_version.empty()) json["engine_version"] = info.engine_version;
  if (!info.engine_api_version.empty()) json["engine_api_version"] = info.engine_api_version;
  co_return json_answer(json);
}

Answer info(Manager& manager, http::Request request) {
  Query(request, {});
  const auto info = co_await manager.info();
  co_return json_answer(info);
}

Answer prune(Manager& manager, http::Request request) {
  Query(request, {});
  const auto body = read_body<proto::PruneRequest>(request.body);
  const auto images = co_await manager.prune(body.dry_run);
  co_return json_answer({{"images", images}});
}

Answer shut_down(std::function<void()> stop, http::Request request) {
  Query(request, {});
  if (stop) stop();
  co_return json_answer({{"stopping", true}}, 202);
}

Answer schema(Manager&, http::Request request) {
  Query(request, {});
  co_return http::Response{200, "application/schema+json", std::string(proto::stack_file_schema()), {}};
}

Answer metrics(Manager& manager, std::chrono::steady_clock::time_point started, http::Request request) {
  Query(request, {});
  const auto info = co_await manager.info();
  const auto stacks = co_await manager.list();
  std::map<std::string, std::uint64_t> by_status;
  for (const auto status : k_statuses) by_status[std::string(status)] = 0;
  for (const auto& stack : stacks) ++by_status[stack->stack.status];

  MetricsText metrics;
  metrics.metric("stackd_info", "gauge", "The daemon's version.");
  metrics.value(label("version", info.version), "1");
  metrics.metric("stackd_uptime_seconds", "gauge", "Seconds since the daemon started.");
  const auto uptime = std::chrono::steady_clock::now() - started;
  metrics.value(static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(uptime).count()));
  metrics.metric("stackd_stacks", "gauge", "Known stacks by status.");
  for (const auto& [status, count] : by_status) metrics.value(label("status", status), std::to_string(count));
  metrics.metric("stackd_operations_running", "gauge", "Operations that run now.");
  metrics.value(static_cast<std::uint64_t>(info.operations_running));
  metrics.metric("stackd_engine_up", "gauge", "1 when the container engine answers.");
  metrics.value(info.engine_state == "reachable" ? 1 : 0);
  const auto seconds = [&metrics](std::int64_t us) {
    metrics.value(
        "", std::to_string(us / 1'000'000) + "." + std::to_string(1'000'000 + us % 1'000'000).substr(1));
  };
  metrics.metric("stackd_longest_turn_seconds", "gauge",
                 "The most of its own time that the control thread gave to one thing.");
  seconds(info.longest_turn_us);
  metrics.metric("stackd_longest_wait_seconds", "gauge", "The same by the clock.");
  seconds(info.longest_wait_us);
  metrics.metric("stackd_lag_seconds", "gauge", "The most that a timer came late in the last ten seconds.");
  seconds(info.recent_lag_us);
  metrics.metric("stackd_longest_lag_seconds", "gauge", "The most that a timer ever came late.");
  seconds(info.longest_lag_us);
  metrics.metric("stackd_long_turns_total", "counter", "Turns of the control thread of more than 10 ms.");
  metrics.value(static_cast<std::uint64_t>(info.long_turns));
  metrics.metric("stackd_store_commits_total", "counter",
                 "Commits of the store; each has waited for the disk.");
  metrics.value(static_cast<std::uint64_t>(info.store_commits));
  metrics.metric("stackd_http_connections", "gauge", "Open connections to the API.");
  metrics.value(request.counters->sessions);
  metrics.metric("stackd_http_requests_total", "counter", "Answered requests by class of status.");
  for (const int hundreds : {2, 4, 5}) {
    const auto found = request.counters->answers.find(hundreds);
    const std::uint64_t count = found == request.counters->answers.end() ? 0 : found->second;
    metrics.value(label("class", std::to_string(hundreds) + "xx"), std::to_string(count));
  }
  co_return http::Response{200, "text/plain; version=0.0.4; charset=utf-8", metrics.text(), {}};
}

}  // namespace stackd::api
