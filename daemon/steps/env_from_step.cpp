// env_from: the commands of the file that print variables, run once an up, one after another, each with the
// environment so far (L6.5). Each is a run with a name of its own, so that one that has run is not run again;
// its output lies beside the run's directory until the step is done.
#include "daemon/steps/env_from.hpp"

#include "daemon/resolve/env_text.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/resolve/references.hpp"
#include "daemon/steps/steps.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/text.hpp"
#include "daemon/world/seen.hpp"

namespace stackd::steps {
namespace {

using util::Error;
using util::ErrorKind;

constexpr std::chrono::seconds k_command_grace{2};

std::filesystem::path run_directory(const Tools& tools, const std::string& stack,
                                    const std::string& operation, int ordinal, std::size_t number) {
  return tools.paths.run(stack, operation + "-" + std::to_string(ordinal) + ".env" + std::to_string(number));
}

std::filesystem::path beside(const std::filesystem::path& directory, const char* suffix) {
  return directory.string() + suffix;
}

std::string where(const model::EnvSource& source) {
  return source.place.file.empty() ? "" : source.place.file + ":" + std::to_string(source.place.line) + ": ";
}

Error failure(const model::EnvSource& source, const process::RunExit& exit) {
  std::string text = where(source) + "env_from command '" + source.cmd + "' ";
  if (exit.cause == process::Cause::exited)
    text += "exited with status " + std::to_string(exit.code);
  else if (exit.cause == process::Cause::signalled)
    text += "was ended by signal " + std::to_string(exit.signal);
  else
    text += "did not run to its end";
  if (!exit.error.empty()) text += ": " + exit.error;
  const auto tail = util::join(util::tail_lines(util::valid_utf8(exit.err_tail)), "\n");
  return Error(ErrorKind::failed, text + (tail.empty() ? "" : ": " + tail));
}

process::RunRequest request_of(const model::Stack& stack, const std::string& layer,
                               const model::EnvSource& source, const std::filesystem::path& directory) {
  process::RunRequest request;
  request.directory = directory;
  const auto command = resolve::resolved(source.cmd, resolve::Strictness::shell, *stack.spec, *stack.facts);
  request.argv = {"/bin/sh", "-c", command};
  request.out = beside(directory, ".out");
  request.cwd = source.cwd.empty() ? stack.spec->directory : source.cwd;
  request.env = resolve::env_from_environment(*stack.spec, *stack.facts, layer);
  request.log = beside(directory, ".log");
  request.timeout = stack.spec->runtime.hook_timeout;
  request.umask = stack.facts->umask.value_or(process::k_umask);
  request.secrets = resolve::secret_values(*stack.spec, *stack.facts);
  return request;
}

}  // namespace

bool has_env_from(const model::Stack& stack) {
  return !resolve::env_commands(*stack.spec).empty();
}

awaitable<void> forget_env_from(Tools& tools, model::Stack stack) {
  if (stack.facts->env_from.empty()) co_return;
  auto change = [](model::Facts& facts) { facts.env_from.clear(); };
  co_await tools.models.change_facts(stack.id, change);
}

awaitable<Outcome> env_from(Tools& tools, Step<plan::EnvFrom> step) {
  const auto stack = co_await tools.models.get(step.stack());
  auto facts = *stack.facts;
  facts.env_from.clear();
  const auto commands = resolve::env_commands(*stack.spec);
  std::vector<std::filesystem::path> done;
  Outcome outcome;
  for (const auto& [layer, source] : commands) {
    const auto directory =
        run_directory(tools, stack.id, step.operation().id, step.context.step.ordinal, done.size());
    done.push_back(directory);
    const auto there = co_await tools.runs.look(directory);
    if (there.state == process::RunState::absent) {
      const model::Stack so_far{stack.id, stack.spec, std::make_shared<model::Facts>(facts)};
      const auto now = co_await world::looked_at(tools.user_files, so_far);
      auto request = request_of(now, layer, source, directory);
      co_await tools.runs.start(std::move(request));
    }
    const auto exit = co_await tools.runs.wait(directory);
    if (exit.cause == process::Cause::signalled)  // L6.5: counts as a success
      outcome.warnings.push_back(failure(source, exit).what() +
                                 std::string("; what it had printed until then is used"));
    else if (!exit.ok())
      throw failure(source, exit);
    auto read = [file = beside(directory, ".out")](async::FileWorker&) { return util::read_file(file); };
    const auto output = co_await tools.files.run(read);
    try {
      for (auto& [name, value] :
           resolve::parse_env_output(output, source.format, "output of '" + source.cmd + "'"))
        facts.env_from[layer][name] = value;
    } catch (const Error& error) {
      throw error.wrap(where(source) + "cannot use env_from");
    }
  }
  auto change = [output = facts.env_from](model::Facts& now) { now.env_from = output; };
  co_await tools.models.change_facts(stack.id, change);
  outcome.result = model::encode(plan::EnvFrom::Result{static_cast<int>(done.size())});
  co_return outcome;
}

awaitable<void> end_env_from(Tools& tools, model::Stack stack, std::string operation, int ordinal) {
  const auto count = resolve::env_commands(*stack.spec).size();
  for (std::size_t number = 0; number < count; ++number) {
    const auto directory = run_directory(tools, stack.id, operation, ordinal, number);
    co_await tools.runs.end(directory, k_command_grace);
  }
}

}  // namespace stackd::steps
