#include "daemon/logs/log_keeper.hpp"

#include <spdlog/spdlog.h>

#include "daemon/async/signal.hpp"
#include "daemon/process/log_rotation.hpp"
#include "daemon/util/error.hpp"

namespace stackd::logs {
namespace {

constexpr std::chrono::milliseconds k_interval{5000};

awaitable<void> rotate_all(journal::Journal& journal, async::FileThread& files, LogLimits limits) {
  auto query = [](store::Database& db) { return store::Processes::all(db); };
  const auto rows = co_await journal.run(query);
  if (rows.empty()) co_return;
  auto work = [rows, limits](async::FileWorker&) {
    for (const auto& row : rows) {
      try {
        process::rotate_log(row.log, limits.size, limits.kept);
      } catch (const std::exception& e) {
        spdlog::warn("{}", e.what());
      }
    }
  };
  co_await files.run(work);
}

}  // namespace

awaitable<void> keep_logs(journal::Journal& journal, async::FileThread& files, LogLimits limits) {
  for (;;) {
    co_await async::sleep_for(k_interval);
    try {
      co_await rotate_all(journal, files, limits);
    } catch (const util::Error& e) {
      spdlog::warn("cannot rotate the services' logs: {}", e.what());
    }
  }
}

}  // namespace stackd::logs
