// What a container with pre_run hooks has in its directory (translate/pre_run.hpp names the files): what the
// daemon wrote for its starts, and what the container has written since. The container's user may be anybody,
// so what is no plain file is not read, and of a large one the newest part. Blocks: on the files' thread.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "daemon/model/spec.hpp"

namespace stackd::hooks {

// For its next start, as the last operation prepared it.
struct PreparedStart {
  std::string token;  // of the start that stackd asked for last: "<operation>-<step>"; "" when there is none
  int starts = 0;     // how often the container has begun since then
  std::set<int> hooks;  // entries that are to run
};
PreparedStart prepared_start(const std::filesystem::path& directory);

// When the entries of this start began, in the engine's words, to the millisecond: pre_run has the engine on
// this machine, so it is one clock. Nothing before that.
std::optional<std::string> pre_run_began(const std::filesystem::path& run, const std::string& token,
                                         int start);
// As the engine writes times, "2026-08-01T09:30:00.123456789Z", as far as a comparison needs it.
std::string to_milliseconds(const std::string& time);
std::filesystem::path pid_file(const std::filesystem::path& run, const std::string& token, int start);
int count_starts(const std::filesystem::path& run, const std::string& token);

// What `run: changed` of an entry looked at before the last start that stackd asked for.
std::filesystem::path inputs_file(const std::filesystem::path& directory, const model::Hook& hook);
std::string pre_run_inputs(const std::filesystem::path& directory, const model::Hook& hook);

// One try of one entry: "<name>.out", ".err" and, at its end, ".exit".
class EntryFiles {
public:
  EntryFiles() = default;
  EntryFiles(std::filesystem::path run, std::string name) : run_(std::move(run)), name_(std::move(name)) {}
  std::optional<int> exit_code() const;
  std::string out() const;
  std::string err() const;
  // Since the call before.
  std::string fresh_out();
  std::string fresh_err();
  void remove() const;

private:
  std::filesystem::path file(const char* suffix) const { return run_ / (name_ + suffix); }
  std::filesystem::path run_;
  std::string name_;
  std::size_t out_seen_ = 0, err_seen_ = 0;
};

}  // namespace stackd::hooks
