#include "daemon/stacks/log_keeper.hpp"

#include <spdlog/spdlog.h>

#include "daemon/process/log_rotation.hpp"
#include "daemon/util/error.hpp"

namespace stackd::stacks {
namespace {

constexpr std::chrono::milliseconds k_interval{5000};

awaitable<void> rotate_all(Services& services, LogLimits limits) {
  auto query = [](store::Database& db) { return store::Processes::all(db); };
  const auto rows = co_await services.journal.run(query);
  if (rows.empty()) co_return;
  auto work = [rows, limits](FileWorker&) {
    for (const auto& row : rows) {
      try {
        process::rotate_log(row.log, limits.size, limits.kept);
      } catch (const std::exception& e) {
        spdlog::warn("{}", e.what());
      }
    }
  };
  co_await services.files.run(work);
}

}  // namespace

awaitable<void> keep_logs(Services& services, LogLimits limits) {
  for (;;) {
    co_await async::sleep_for(k_interval);
    try {
      co_await rotate_all(services, limits);
    } catch (const util::Error& e) {
      spdlog::warn("cannot rotate the services' logs: {}", e.what());
    }
  }
}

}  // namespace stackd::stacks
