// The log of one run. What design.md calls a hook's log, "<phase>-<idx>.log", is another name of the newest
// run's, so that replicas whose hooks run at the same time do not write into each other's, and an older run
// keeps its own.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/store/records.hpp"

namespace stackd::logs {

// Beside the directory of the hooks' logs, in "hook-logs"; the tries of one run share it.
std::filesystem::path run_log(const std::filesystem::path& hook_log, const std::string& run);

// Makes it the hook's log, and the file when it is not there. At the end once more: a log that was cut is
// another file.
std::filesystem::path link_run_log(const store::HookRunRow& row);

// Removes those of operations that are not among these, unless they are a hook's log.
void sweep_run_logs(const std::filesystem::path& stack, const std::set<std::string>& operations);

// Written by the daemon itself, from the beginning: output as it comes, whole lines, without secrets, the
// newest 1 MB.
class RunLog {
public:
  RunLog(std::filesystem::path path, std::vector<std::string> secrets, bool fresh = true);
  void append(std::string_view piece);
  void finish();  // with what had no newline yet

private:
  void write(const std::string& text);
  void cut();

  std::filesystem::path path_;
  std::vector<std::string> secrets_;
  std::string rest_;
};

}  // namespace stackd::logs
