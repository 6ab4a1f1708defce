// The log of one run. What design.md calls a hook's log, "<phase>-<idx>.log", is another name of the newest
// run's, so that replicas whose hooks run at the same time do not write into each other's, and an older run
// keeps its own.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "daemon/async/file_thread.hpp"
#include "daemon/store/records.hpp"

namespace stackd::logs {

// Beside the directory of the hooks' logs, in "hook-logs"; the tries of one run share it.
std::filesystem::path run_log(const std::filesystem::path& hook_log, const std::string& run);

// Makes it the hook's log, and the file when it is not there. At the end once more: a log that was cut is
// another file. Throws io. Blocks: on the files' thread.
std::filesystem::path link_run_log(const store::HookRunRow& row);

// Removes those of operations that are not among these, unless they are a hook's log. Blocks.
void sweep_run_logs(const std::filesystem::path& stack, const std::set<std::string>& operations);

// Written by the daemon itself: output as it comes, in whole lines, without secrets, the newest 1 MB; written
// on the files' thread. What cannot be written is dropped and counted, as the shim does it. Control thread.
class RunLog {
public:
  // The log of this run, or from its second try on what follows in it.
  RunLog(async::FileThread& files, store::HookRunRow row, std::vector<std::string> secrets);
  // Waits until it is written.
  awaitable<void> append(std::string text);
  // With what had no newline yet; links it once more.
  awaitable<void> finish();

private:
  struct Writer;
  awaitable<void> write(std::string text, bool last);
  async::FileThread& files_;
  std::shared_ptr<Writer> writer_;  // the files' thread
  std::string rest_;                // of a line
};

}  // namespace stackd::logs
