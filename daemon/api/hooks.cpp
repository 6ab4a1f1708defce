#include <algorithm>

#include "daemon/api/answers.hpp"
#include "daemon/api/handler.hpp"
#include "daemon/api/query.hpp"

namespace stackd::api {
namespace {

constexpr int k_runs_listed = 200;
constexpr const char* k_text = "text/plain; charset=utf-8";

// Of the first byte that follows.
http::Headers place_header(std::uint64_t place) {
  return {{"Stackd-Log-Place", std::to_string(place)}};
}

}  // namespace

Answer list_hooks(Manager& manager, http::Request request) {
  const Query query(request, {"operation", "limit"});
  const auto limit = static_cast<int>(query.integer("limit", k_runs_listed, 1, k_most_listed));
  const auto wanted = query.text("operation");
  auto runs = co_await manager.hooks(request.path_value("id"), limit);
  if (!wanted.empty())
    std::erase_if(runs, [&](const proto::HookRun& run) { return run.operation != wanted; });
  co_return json_answer({{"hooks", runs}});
}

awaitable<void> hook_log(Manager& manager, http::Request request, http::ResponseWriter& writer) {
  const Query query(request, {"follow", "from"});
  const bool following = query.flag("follow");
  const auto from = static_cast<std::uint64_t>(query.integer("from", 0, 0, 1'000'000'000'000'000));
  const Manager::TextSink sink = [&writer](std::uint64_t place, std::string text) -> awaitable<void> {
    if (!writer.started()) writer.start(k_text, place_header(place));
    co_await writer.write(std::move(text));
  };
  co_await manager.hook_log(request.path_value("run"), from, following, sink);
  if (!writer.started()) writer.start(k_text, place_header(from));
}

}  // namespace stackd::api
