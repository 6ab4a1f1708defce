// pre_run. Each start that stackd asks for has a token of its own step's; each hook run's record is named by
// token, start, entry and try, so whoever looks, now or after a crash, finds the same.
#include <sys/stat.h>

#include "daemon/async/deadline.hpp"
#include "daemon/hooks/policy.hpp"
#include "daemon/stacks/hook_records.hpp"
#include "daemon/stacks/images.hpp"
#include "daemon/stacks/labels.hpp"
#include "daemon/stacks/pre_run.hpp"
#include "daemon/stacks/pre_run_starts.hpp"
#include "daemon/stacks/steps.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stacks {
namespace {

using nlohmann::json;
using util::Error;
using util::ErrorKind;
namespace fs = std::filesystem;

constexpr std::chrono::seconds k_end_limit{5};

hooks::HookJob job_of(const Model& model, const spec::Hook& hook, const store::OperationRow& operation,
                      const std::string& previous, const fs::path& directory) {
  hooks::HookJob job;
  job.spec = model.spec;
  job.facts = model.facts;
  job.hook = hook;
  job.about.stack_id = model.id;
  job.about.operation = operation.id;
  job.about.profile = model.spec->profile;
  job.about.previous = previous;
  job.inputs = pre_run_inputs(directory, hook);
  return job;
}

void write_shared(const fs::path& file, const std::string& text) {
  util::write_file(file, text, 0644);
  ::chmod(file.c_str(), 0644);  // whatever the umask says: the container's user reads it
}

// M4.5: its shell has said how the hook ended, and ends with that status itself. Whoever hears of the failure
// finds the container ended.
awaitable<void> let_it_end(Services& services, std::string container) {
  try {
    auto ended = services.engine.wait_container(container);
    co_await async::within(k_end_limit, "end of container " + container.substr(0, 12), std::move(ended));
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::timed_out && e.kind() != ErrorKind::not_found) throw;
  }
}

}  // namespace

fs::path pre_run_directory(const Services& services, const std::string& stack, const std::string& container) {
  return services.paths.stack(stack) / "pre_run" / container;
}

fs::path make_pre_run_directory(const Services& services, const std::string& stack,
                                const std::string& container) {
  const auto directory = pre_run_directory(services, stack, container);
  util::make_directories(directory / "run", 0755);
  // The container's user, whoever that is, writes its results here; the home above it is closed to others.
  ::chmod(directory.c_str(), 0755);
  ::chmod((directory / "run").c_str(), 0777);
  return directory;
}

// For `run: changed`; beside the hook, since the record of a start is made from what was there at that start.
awaitable<void> write_inputs(Services& services, Model model, spec::Hook hook, fs::path directory,
                             std::string container) {
  const auto there = co_await services.engine.inspect_container(container);
  auto work = [hook, root = model.spec->directory, image = there ? there->image_id : ""](FileWorker&) {
    return hooks::state_of_inputs(hook, root, image);
  };
  const auto inputs = co_await services.files.run(work);
  write_shared(inputs_file(directory, hook), inputs);
}

awaitable<const spec::Hook*> write_pre_run(Services& services, StepContext context, Model model,
                                           const spec::Service& service, std::string container,
                                           std::string token) {
  const auto directory = make_pre_run_directory(services, model.id, container);
  const auto previous = co_await previous_state(services, context.operation);
  std::vector<const spec::Hook*> to_run;
  std::error_code ignored;
  for (const auto* hook : service.hooks_of(spec::Phase::pre_run)) {
    if (hook->run == spec::RunPolicy::changed)
      co_await write_inputs(services, model, *hook, directory, container);
    const auto job = job_of(model, *hook, context.operation, previous, directory);
    const auto why_not = co_await services.hooks.reason_to_skip(job);
    if (why_not.empty())
      to_run.push_back(hook);
    else
      fs::remove(directory / ("hook-" + std::to_string(hook->index)), ignored);
  }
  const HookNames names{{"STACKD_STACK", model.spec->name},
                        {"STACKD_STACK_ID", model.id},
                        {"STACKD_OPERATION", context.operation.id},
                        {"STACKD_SERVICE", service.name},
                        {"STACKD_PROFILE", model.spec->profile}};
  for (const auto& [name, text] : pre_run_files(*model.spec, *model.facts, to_run, names))
    write_shared(directory / name, text);
  const auto reason = context.params.value("reason", context.operation.kind);
  write_shared(directory / "start", token + " " + reason + "\n");
  // Of starts before this one; a step that is run again has the token it had.
  for (const auto& entry : fs::directory_iterator(directory / "run", ignored))
    if (!entry.path().filename().string().starts_with(token + ".")) fs::remove(entry.path(), ignored);
  co_return to_run.empty() ? nullptr : to_run.front();
}

awaitable<Outcome> pre_run_step(Services& services, StepContext context) {
  const auto model = co_await services.models.get(context.operation.stack_id);
  const auto& service = model.service(context.step.service);
  const auto index = context.params.at("index").get<int>();
  const auto made = context.result_of(context.params.at("create").get<std::string>());
  const auto started = context.result_of(context.params.at("start").get<std::string>());
  Outcome outcome;
  const bool restarted = started.value("restarted", false);  // by the engine; this operation answers for it
  if (!started.value("started", false) && !restarted) {
    outcome.skipped = true;
    outcome.reason = "the service was running already";
    co_return outcome;
  }
  const auto hooks = service.hooks_of(spec::Phase::pre_run);
  const auto& hook = *hooks.at(static_cast<std::size_t>(index));
  PreRunStart start;
  start.operation = context.operation;
  start.step = context.step.ordinal;
  start.reason = context.params.value("reason", context.operation.kind);
  start.container = made.at("id");
  start.name = made.at("name");
  if (restarted) {
    const auto directory = pre_run_directory(services, model.id, start.name);
    start.token = token_of(directory);
    start.number = co_await newest_start(services, start.container, directory / "run", start.token);
  } else {
    start.token = started.at("token");
    start.at = started.value("at", util::TimeMs{0});
  }
  start.command = made.value("command", std::vector<std::string>{});
  if (!fs::exists(pre_run_directory(services, model.id, start.name) / ("hook-" + std::to_string(index)))) {
    const auto previous = co_await previous_state(services, context.operation);
    const auto job =
        job_of(model, hook, context.operation, previous, pre_run_directory(services, model.id, start.name));
    outcome.skipped = true;
    outcome.reason = co_await services.hooks.reason_to_skip(job);
    const auto row = hook_row(services, context.operation, context.step.ordinal, hook,
                              start.token + ".0.pre_run" + std::to_string(index) + "-1");
    const auto known = co_await known_run(services, row.id);
    if (!known) co_await skip_run(services, row, outcome.reason);
    co_return outcome;
  }
  const auto row = co_await follow_pre_run(services, model, hook, start);
  outcome.result = {{"run", row.id}, {"state", row.state}};
  if (row.state == "succeeded") co_return outcome;
  const auto policy = hooks::on_failure_of(hook, false);
  if (policy == spec::OnFailure::warn) outcome.warnings.push_back(row.reason);
  if (policy != spec::OnFailure::fail) co_return outcome;
  co_await let_it_end(services, start.container);
  throw Error(ErrorKind::failed, row.reason, {"hook: " + row.command, "log: " + row.log});
}

Error no_shell(const spec::Spec& spec, const spec::Service& service) {
  return Error(ErrorKind::failed,
               "service '" + service.name + "' has " + (has_pre_run(service) ? "pre_run" : "build") +
                   " hooks, and its image '" + image_of(spec, service) +
                   "' has no /bin/sh to run them; take an image that has a shell, or take the "
                   "hooks out of the stack file");
}

awaitable<void> check_shells(Services& services, StepContext context, Model model,
                             std::map<std::string, std::string> images) {
  for (const auto& [name, image] : images) {
    const auto& service = model.service(name);
    const auto* phase = has_pre_run(service) ? "pre_run" : has_build_hooks(service) ? "build" : nullptr;
    if (!phase) continue;
    if (!services.shells.contains(image)) {
      const auto look =
          "stackd-look-" + context.operation.id + "-" + image.substr(image.find(':') + 1).substr(0, 12);
      const json labels{{label::k_stack, model.id},
                        {label::k_service, name},
                        {label::k_hook, phase},
                        {label::k_operation, context.operation.id}};
      const bool there = co_await image_has(services.engine, image, "/bin/sh", look, labels);
      services.shells[image] = there;
    }
    if (!services.shells[image]) throw no_shell(*model.spec, service);
  }
}

}  // namespace stackd::stacks
