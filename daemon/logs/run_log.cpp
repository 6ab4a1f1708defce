#include "daemon/logs/run_log.hpp"

#include <cerrno>
#include <iterator>
#include <utility>

#include "daemon/process/log_times.hpp"
#include "daemon/process/shim/log_file.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"

namespace stackd::logs {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_directory = "hook-logs";
constexpr std::size_t k_log_limit = 1'000'000;

}  // namespace

fs::path run_log(const fs::path& hook_log, const std::string& run) {
  return hook_log.parent_path().parent_path() / k_directory / (run.substr(0, run.rfind('-')) + ".log");
}

fs::path link_run_log(const store::HookRunRow& row) {
  const fs::path hook_log = row.log;
  const auto log = run_log(hook_log, row.id);
  util::make_directories(log.parent_path());
  util::make_directories(hook_log.parent_path());
  if (!fs::exists(log)) util::write_file(log, "", 0600, util::Durability::fleeting);
  std::error_code failure;
  if (fs::equivalent(log, hook_log, failure)) return log;  // as at the end of nearly every run
  // By a rename, so that there is no moment without one.
  const auto beside = log.string() + ".link";
  fs::remove(beside, failure);
  fs::create_hard_link(log, beside, failure);
  if (!failure) fs::rename(beside, hook_log, failure);
  if (failure)
    throw util::Error(util::ErrorKind::io, "cannot link " + hook_log.string() + ": " + failure.message());
  return log;
}

void sweep_run_logs(const fs::path& stack, const std::set<std::string>& operations) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(stack / k_directory, ignored)) {
    const auto name = entry.path().filename().string();
    // A name begins with its operation's, and no operation's name with another's: it is the one before.
    const auto after = operations.upper_bound(name);
    const bool known = after != operations.begin() && name.starts_with(*std::prev(after));
    if (!known && entry.hard_link_count(ignored) == 1) fs::remove(entry.path(), ignored);
  }
}

struct RunLog::Writer {
  store::HookRunRow row;
  std::vector<std::string> secrets;
  shim::CappedLog log;
  bool open = false;
};

RunLog::RunLog(async::FileThread& files, store::HookRunRow row, std::vector<std::string> secrets)
    : files_(files), writer_(std::make_shared<Writer>()) {
  writer_->row = std::move(row);
  writer_->secrets = std::move(secrets);
}

awaitable<void> RunLog::append(std::string text) {
  rest_ += text;
  const auto end = rest_.rfind('\n');
  if (end == std::string::npos && rest_.size() < process::log_times::k_longest_line) co_return;
  const auto size = end == std::string::npos ? rest_.size() : end + 1;
  auto whole = rest_.substr(0, size);
  rest_.erase(0, size);
  co_await write(std::move(whole), false);
}

awaitable<void> RunLog::finish() {
  co_await write(std::exchange(rest_, {}), true);
}

awaitable<void> RunLog::write(std::string text, bool last) {
  auto work = [writer = writer_, text, last](async::FileWorker&) {
    auto& [row, secrets, log, open] = *writer;
    if (!open) {
      const auto path = link_run_log(row);
      if (!log.open(path, row.attempt == 1, k_log_limit))
        throw util::system_error("cannot open log '" + path.string() + "'", errno);
      open = true;
    }
    log.write(resolve::mask(text, secrets));
    if (!last) return;
    log.finish();
    link_run_log(row);
  };
  co_await files_.run(work);
}

}  // namespace stackd::logs
