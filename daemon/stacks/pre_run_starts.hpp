// Starts of containers with pre_run hooks: following one, and keeping the records of those that no operation
// asked for (the restart policy's, `docker start`), also of such as came while no daemon ran. Control thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "daemon/async/task_group.hpp"
#include "daemon/stacks/services.hpp"

namespace stackd::stacks {

// The shell of a container that has just been started writes its line within this time.
constexpr std::chrono::seconds k_first_line{10};

struct PreRunStart {
  store::OperationRow operation;  // that started it, or under whose start the engine did it again
  int step = -1;
  std::string container, name, token, reason;
  int number = 0;                    // since the operation's start: 0 is its own
  util::TimeMs at = 0;               // when the engine had started it; 0 is not known
  std::vector<std::string> command;  // for messages
};
// Written before the container starts, which is when its first entry runs: a record is there whatever happens
// then.
awaitable<void> announce_pre_run(Services& services, const spec::Hook& hook, PreRunStart start);
// Follows one entry of a start to its end; its record is there then. Asked again it finds the same.
awaitable<store::HookRunRow> follow_pre_run(Services& services, Model model, spec::Hook hook,
                                            PreRunStart start);
// What an entry's `run: changed` looked at before the last start that stackd asked for.
std::filesystem::path inputs_file(const std::filesystem::path& directory, const spec::Hook& hook);
std::string pre_run_inputs(const std::filesystem::path& directory, const spec::Hook& hook);
// Of the last start that stackd asked for: "<operation>-<step>".
std::string token_of(const std::filesystem::path& directory);
// The number of the start that the container runs since. Its shell may not have written its line yet.
awaitable<int> newest_start(Services& services, std::string container, std::filesystem::path run,
                            std::string token);
// How often the container has begun since the start of this token; `run` is the directory that it writes to.
int count_starts(const std::filesystem::path& run, const std::string& token);

class PreRunStarts {
public:
  explicit PreRunStarts(Services& services);

  // Until it is cancelled.
  awaitable<void> run();

private:
  awaitable<void> look_at_starts();
  void look(const std::string& id, const ContainerState& state);
  awaitable<void> record(std::string id, ContainerState state);

  Services& services_;
  async::TaskGroup tasks_;
  std::set<std::string> busy_;
};

}  // namespace stackd::stacks
