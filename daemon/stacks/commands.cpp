// What a command on this host is run with: `exec` and `run`. They are run by the client, in its own terminal;
// the daemon says with which environment, and where.
#include "daemon/resolve/environment.hpp"
#include "daemon/resolve/identity.hpp"
#include "daemon/resolve/references.hpp"
#include "daemon/stackfile/load.hpp"
#include "daemon/stacks/lookup.hpp"
#include "daemon/stacks/manager.hpp"
#include "daemon/stacks/parts.hpp"
#include "daemon/util/error.hpp"
#include "daemon/world/seen.hpp"

namespace stackd::stacks {
namespace {

using util::Error;

// The stack that lies in this directory, or above it, and has this name when one is given; the nearest.
std::optional<store::StackRow> known_stack(const std::vector<store::StackRow>& rows,
                                           const proto::UpRequest& request) {
  const store::StackRow* found = nullptr;
  for (const auto& row : rows) {
    const bool here =
        request.directory == row.directory || request.directory.starts_with(row.directory + "/");
    const bool named = request.project_name.empty() || row.name == request.project_name;
    if (here && named && (!found || row.directory.size() > found->directory.size())) found = &row;
  }
  return found ? std::optional(*found) : std::nullopt;
}

// The file as it is now, with what an up has found out; as it was at the up when it cannot be read any more.
awaitable<model::Stack> model_of(Parts& parts, proto::UpRequest request) {
  const auto rows = co_await parts.journal.run([](store::Database& db) { return store::Stacks::all(db); });
  const auto known = known_stack(rows, request);
  auto wish = std::make_shared<stackfile::LoadRequest>();
  wish->directory = request.directory;
  wish->files = request.files;
  wish->project_name = request.project_name;
  wish->profile = request.profile.empty() && known ? known->profile : request.profile;
  wish->environment = request.environment;
  auto work = [wish] { return stackfile::load(*wish); };
  std::optional<Error> unreadable;
  model::Stack model;
  try {
    model.spec = std::make_shared<model::Spec>(co_await parts.user_files.run(work));
    model.id = resolve::stack_id(model.spec->name, model.spec->directory);
  } catch (const Error& error) {
    if (!known) throw;
    unreadable = error;
  }
  if (unreadable) model = co_await parts.models.get(known->id);
  model::Facts facts;
  for (const auto& row : rows)
    if (row.id == model.id) facts = model::facts_from_json(nlohmann::json::parse(row.facts));
  facts.stack_id = model.id;
  facts.lich_id = resolve::worktree_id(model.spec->directory);
  facts.caller = request.environment;
  model.facts = std::make_shared<model::Facts>(std::move(facts));
  co_return co_await world::looked_at(parts.user_files, model);
}

}  // namespace

awaitable<std::vector<proto::Command>> Manager::commands(proto::UpRequest request) {
  const auto model = co_await model_of(parts_, std::move(request));
  std::vector<proto::Command> all;
  for (const auto& [name, command] : model.spec->commands)
    all.push_back({name, command.description, command.cmd,
                   command.cwd.empty() ? model.spec->directory : command.cwd,
                   command.env_group.empty() ? "stack" : command.env_group});
  co_return all;
}

awaitable<proto::Surroundings> Manager::surroundings(proto::UpRequest request, CommandOf what) {
  const auto& name = what.command;
  const auto model = co_await model_of(parts_, std::move(request));
  const auto& spec = *model.spec;
  proto::Surroundings found{model.id, name, spec.directory, "", {}};
  if (!what.service.empty()) {
    check_service(model, what.service);
    const auto& service = *spec.find(what.service);
    if (!service.process)
      throw Error(
          util::ErrorKind::invalid_request,
          "service '" + service.name + "' is no process of this host: its commands run in its container");
    found.environment = resolve::process_environment(spec, *model.facts, service);
    if (!service.process->cwd.empty()) found.directory = service.process->cwd;
    co_return found;
  }
  if (name.empty()) {
    found.environment =
        resolve::group_environment(spec, *model.facts, what.group.empty() ? "stack" : what.group);
    co_return found;
  }
  found.environment = resolve::command_environment(spec, *model.facts, name);  // throws when there is none
  const auto& command = spec.commands.at(name);
  found.command = resolve::resolved(command.cmd, resolve::Strictness::shell, spec, *model.facts);
  if (!command.cwd.empty()) found.directory = command.cwd;
  co_return found;
}

}  // namespace stackd::stacks
