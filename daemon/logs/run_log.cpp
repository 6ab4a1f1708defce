#include "daemon/logs/run_log.hpp"

#include <fstream>
#include <iterator>

#include "daemon/resolve/environment.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"

namespace stackd::logs {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_directory = "hook-logs";
constexpr std::size_t k_log_limit = 1'000'000;
constexpr std::size_t k_longest_line = 64 * 1024;

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

RunLog::RunLog(fs::path path, std::vector<std::string> secrets, bool fresh)
    : path_(std::move(path)), secrets_(std::move(secrets)) {
  std::error_code ignored;
  if (fresh) fs::resize_file(path_, 0, ignored);
}

void RunLog::append(std::string_view piece) {
  rest_ += piece;
  const auto end = rest_.rfind('\n');
  if (end == std::string::npos && rest_.size() < k_longest_line) return;
  const auto size = end == std::string::npos ? rest_.size() : end + 1;
  write(rest_.substr(0, size));
  rest_.erase(0, size);
}

void RunLog::finish() {
  write(rest_);
  rest_.clear();
  std::error_code ignored;
  if (fs::file_size(path_, ignored) > k_log_limit)
    util::write_file(path_, util::read_tail(path_, k_log_limit));
}

void RunLog::write(const std::string& text) {
  if (text.empty()) return;
  std::ofstream(path_, std::ios::app | std::ios::binary) << resolve::mask(text, secrets_);
  std::error_code ignored;
  if (fs::file_size(path_, ignored) > 2 * k_log_limit) cut();
}

void RunLog::cut() {
  util::write_file(path_, util::read_tail(path_, k_log_limit), 0600, util::Durability::fleeting);
}

}  // namespace stackd::logs
