// The running half of pre_run (translate/pre_run.hpp is what runs): the files that a container reads before
// it becomes its command, and following one start of it, whoever asked for that start. Each start that stackd
// asks for has a token of its own step's; each record is named by token, start, entry and try, so whoever
// looks, now or after a crash, finds the same. Control thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "daemon/hooks/hook_runner.hpp"
#include "daemon/hooks/tools.hpp"
#include "daemon/model/stack.hpp"

namespace stackd::hooks {

// What a container with pre_run hooks needs before it is created, and before each start.
std::filesystem::path pre_run_directory(const model::Paths& paths, const std::string& stack,
                                        const std::string& container);
// Makes it. Blocks: on the files' thread.
std::filesystem::path make_pre_run_directory(const model::Paths& paths, const std::string& stack,
                                             const std::string& container);

// One entry as a job, for asking whether it is to run.
// `inputs`: what it looks at for `run: changed` (pre_run_files.hpp).
HookJob pre_run_job(const model::Stack& stack, const model::Hook& hook, const store::OperationRow& operation,
                    const std::string& previous, std::string inputs);

// Writes what the next start is to run, with the token and the reason of that start. The first entry that is
// to run; nothing when none is.
struct PreRunWish {
  store::OperationRow operation;
  model::Stack stack;
  std::string service, container, token, reason;
};
awaitable<std::optional<model::Hook>> write_pre_run(Tools& tools, HookRunner& runner, PreRunWish wish);

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
awaitable<void> announce_pre_run(Tools& tools, const model::Hook& hook, PreRunStart start);
// Follows one entry of a start to its end; its record is there then. Asked again it finds the same.
awaitable<store::HookRunRow> follow_pre_run(Tools& tools, model::Stack stack, model::Hook hook,
                                            PreRunStart start);
// The number of the start that the container runs since. Its shell may not have written its line yet.
awaitable<int> newest_start(Tools& tools, std::string container, std::filesystem::path run,
                            std::string token);

}  // namespace stackd::hooks
