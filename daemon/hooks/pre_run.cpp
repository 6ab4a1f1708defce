// What a start is to run, as files. They are written on the files' thread, all at once.
#include "daemon/hooks/pre_run.hpp"

#include <sys/stat.h>

#include "daemon/hooks/judge.hpp"
#include "daemon/hooks/pre_run_files.hpp"
#include "daemon/hooks/previous.hpp"
#include "daemon/translate/pre_run.hpp"
#include "daemon/util/files.hpp"

namespace stackd::hooks {
namespace {

namespace fs = std::filesystem;

void write_shared(const fs::path& file, const std::string& text) {
  util::write_file(file, text, 0644);
  ::chmod(file.c_str(), 0644);  // whatever the umask says: the container's user reads it
}

// Beside the hook, since the record of a start is made from what was there at that start.
awaitable<std::string> write_inputs(Tools& tools, model::Stack stack, model::Hook hook, fs::path directory,
                                    std::string container) {
  const auto there = co_await tools.engine.inspect_container(container);
  std::string image;
  if (there) image = there->image_id;
  const auto state = co_await state_for(tools, stack, hook, image);
  auto work = [hook, directory, state](async::FileWorker&) {
    write_shared(inputs_file(directory, hook), state);
  };
  co_await tools.files.run(work);
  co_return state;
}

}  // namespace

fs::path pre_run_directory(const model::Paths& paths, const std::string& stack,
                           const std::string& container) {
  return paths.stack(stack) / "pre_run" / container;
}

fs::path make_pre_run_directory(const model::Paths& paths, const std::string& stack,
                                const std::string& container) {
  const auto directory = pre_run_directory(paths, stack, container);
  util::make_directories(directory / "run", 0755);
  // The container's user, whoever that is, writes its results here; the home above it is closed to others.
  ::chmod(directory.c_str(), 0755);
  ::chmod((directory / "run").c_str(), 0777);
  return directory;
}

HookJob pre_run_job(const model::Stack& stack, const model::Hook& hook, const store::OperationRow& operation,
                    const std::string& previous, std::string inputs) {
  HookJob job;
  job.spec = stack.spec;
  job.facts = stack.facts;
  job.hook = hook;
  job.about.stack_id = stack.id;
  job.about.operation = operation.id;
  job.about.profile = stack.spec->profile;
  job.about.previous = previous;
  job.inputs = std::move(inputs);
  return job;
}

awaitable<std::optional<model::Hook>> write_pre_run(Tools& tools, HookRunner& runner, PreRunWish wish) {
  const auto& stack = wish.stack;
  auto make = [&](async::FileWorker&) {
    return make_pre_run_directory(tools.paths, stack.id, wish.container);
  };
  const auto directory = co_await tools.files.run(make);
  const auto previous = co_await previous_state(tools.journal, wish.operation);
  std::vector<const model::Hook*> to_run;
  std::vector<fs::path> left_out;
  for (const auto* hook : stack.service(wish.service).hooks_of(model::Phase::pre_run)) {
    std::string inputs;
    if (has_state(*hook)) inputs = co_await write_inputs(tools, stack, *hook, directory, wish.container);
    const auto job = pre_run_job(stack, *hook, wish.operation, previous, inputs);
    const auto why_not = co_await runner.reason_to_skip(job);
    if (why_not.empty())
      to_run.push_back(hook);
    else
      left_out.push_back(directory / ("hook-" + std::to_string(hook->index)));
  }
  const translate::HookNames names{{"STACKD_STACK", stack.spec->name},
                                   {"STACKD_STACK_ID", stack.id},
                                   {"STACKD_OPERATION", wish.operation.id},
                                   {"STACKD_SERVICE", wish.service},
                                   {"STACKD_PROFILE", stack.spec->profile}};
  auto texts = translate::pre_run_files(*stack.spec, *stack.facts, to_run, names);
  texts["start"] = wish.token + " " + wish.reason + "\n";
  auto write = [directory, texts, left_out, token = wish.token](async::FileWorker&) {
    std::error_code ignored;
    for (const auto& file : left_out) fs::remove(file, ignored);
    for (const auto& [name, text] : texts) write_shared(directory / name, text);
    // Of starts before this one; a step that is run again has the token it had.
    for (const auto& entry : fs::directory_iterator(directory / "run", ignored))
      if (!entry.path().filename().string().starts_with(token + ".")) fs::remove(entry.path(), ignored);
  };
  co_await tools.files.run(write);
  if (to_run.empty()) co_return std::nullopt;
  co_return *to_run.front();
}

}  // namespace stackd::hooks
