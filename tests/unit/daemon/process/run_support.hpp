// What the tests of runs share: requests for shell commands, and looks at processes and descriptors.
#pragma once

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "daemon/process/runs.hpp"
#include "daemon/util/files.hpp"
#include "tests/support/run_coro.hpp"
#include "tests/support/shim.hpp"
#include "tests/support/temp_dir.hpp"

namespace stackd::test {

using namespace std::chrono_literals;

inline void append(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::app) << text;
}

struct RunFixture {
  TempDir dir;

  std::filesystem::path run_dir(const std::string& name) const { return dir.path() / "runs" / name; }
  std::filesystem::path log(const std::string& name) const { return dir.path() / "logs" / (name + ".log"); }
  std::string log_text(const std::string& name) const { return util::read_file(log(name)); }

  process::RunRequest request(const std::string& name, const std::string& command) const {
    process::RunRequest request;
    request.directory = run_dir(name);
    request.argv = {"/bin/sh", "-c", command};
    request.cwd = dir.path();
    request.env = {{"PATH", "/usr/bin:/bin"}};
    request.log = log(name);
    return request;
  }

  // Starts the run and waits for its end.
  process::RunExit run(process::RunRequest request) const {
    return run_coro(
        [&](auto executor) -> awaitable<process::RunExit> { return start_and_wait(executor, request); });
  }
  process::RunExit run(const std::string& command) const { return run(request("run", command)); }

  static awaitable<process::RunExit> start_and_wait(asio::any_io_executor executor,
                                                    process::RunRequest request,
                                                    std::filesystem::path program = test::shim()) {
    async::FileThread files;
    process::Runs runs(executor, program, files);
    co_await runs.start(request);
    co_return co_await runs.wait(request.directory);
  }
  // Starts it and goes away at once, as a daemon that is killed.
  static awaitable<void> only_start(asio::any_io_executor executor, process::RunRequest request) {
    async::FileThread files;
    process::Runs runs(executor, test::shim(), files);
    co_await runs.start(request);
  }
  static awaitable<process::RunExit> only_wait(asio::any_io_executor executor,
                                               std::filesystem::path directory) {
    async::FileThread files;
    process::Runs runs(executor, test::shim(), files);
    co_return co_await runs.wait(directory);
  }
};

inline std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

// Alive and no zombie.
inline bool is_alive(int pid) {
  const auto stat = util::read_file_if_there("/proc/" + std::to_string(pid) + "/stat");
  if (!stat) return false;
  const auto after_name = stat->rfind(") ");
  return after_name != std::string::npos && (*stat)[after_name + 2] != 'Z';
}

// The numbers in a file, one a line.
inline std::vector<int> pids_in(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<int> pids;
  for (int pid = 0; in >> pid;) pids.push_back(pid);
  return pids;
}

// (No co_await inside a CHECK: Catch2's macro names its expression twice, and GCC 12 then runs it twice.)
// Waits until a condition of the outside world holds; false when it does not within half a minute.
template <class Condition>
awaitable<bool> eventually(asio::any_io_executor executor, Condition condition) {
  asio::steady_timer timer(executor);
  for (int tries = 0; tries < 3000; ++tries) {
    if (condition()) co_return true;
    timer.expires_after(10ms);
    co_await timer.async_wait(use_awaitable);
  }
  co_return false;
}

}  // namespace stackd::test
