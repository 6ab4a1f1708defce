#include "daemon/stacks/lookup.hpp"

#include "daemon/resolve/identity.hpp"
#include "daemon/stackfile/load.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"
#include "daemon/world/seen.hpp"

namespace stackd::stacks {

using util::Error;
using util::ErrorKind;

namespace {

bool is_set(const std::map<std::string, std::string>& variables, const char* name) {
  const auto found = variables.find(name);
  return found != variables.end() && (found->second == "1" || util::starts_with_icase(found->second, "t") ||
                                      util::starts_with_icase(found->second, "y"));
}

// With what is known of it before anything runs.
model::Seen seen_of(const model::Spec& spec) {
  model::Facts facts;
  facts.stack_id = resolve::stack_id(spec.name, spec.directory);
  facts.lich_id = resolve::worktree_id(spec.directory);
  return world::look_at_files(spec, facts);
}

}  // namespace

stackfile::LoadRequest load_request(proto::UpRequest& request) {
  stackfile::LoadRequest load;
  load.directory = request.directory;
  load.files = request.files;
  load.input = std::move(request.input);
  load.buffers = std::move(request.buffers);
  load.env_files = request.env_files;
  load.project_directory = request.project_directory;
  load.project_name = request.project_name;
  load.profile = request.profile;
  load.services = request.services;
  load.environment = std::move(request.environment);
  return load;
}

awaitable<Loaded> load(Parts& parts, stackfile::LoadRequest request) {
  if (request.directory.empty() || !request.directory.is_absolute())
    throw Error(ErrorKind::invalid_request, "cannot bring up a stack: 'directory' must be an absolute path");
  auto wish = std::make_shared<stackfile::LoadRequest>(std::move(request));
  auto work = [wish] {
    Loaded loaded;
    std::map<std::string, std::string> variables;
    loaded.spec = stackfile::load(*wish, &variables);
    loaded.seen = seen_of(loaded.spec);
    loaded.ignore_orphans = is_set(variables, "COMPOSE_IGNORE_ORPHANS");
    loaded.remove_orphans = is_set(variables, "COMPOSE_REMOVE_ORPHANS");
    loaded.variables = std::move(variables);
    return loaded;
  };
  auto loaded = co_await parts.user_files.run(work);
  loaded.environment = std::move(wish->environment);
  co_return loaded;
}

awaitable<stackfile::Sources> find_sources(Parts& parts, stackfile::LoadRequest request) {
  auto wish = std::make_shared<stackfile::LoadRequest>(std::move(request));
  auto work = [wish] { return stackfile::find_sources(*wish); };
  return parts.user_files.run(work);
}

awaitable<store::StackRow> find_stack(Parts& parts, std::string id_or_name) {
  struct Found {
    std::optional<store::StackRow> row;
    std::vector<store::StackRow> named;
    std::vector<std::string> known;
  };
  auto query = [id_or_name](store::Database& db) {
    Found found;
    found.row = store::Stacks::get(db, id_or_name);
    if (!found.row) found.named = store::Stacks::named(db, id_or_name);
    if (!found.row && found.named.empty())
      for (const auto& known : store::Stacks::names(db)) {
        found.known.push_back(known.id);
        found.known.push_back(known.name);
      }
    return found;
  };
  auto found = co_await parts.journal.run(query);
  if (found.row) co_return std::move(*found.row);
  if (found.named.size() == 1) co_return std::move(found.named.front());
  if (found.named.size() > 1)
    throw Error(ErrorKind::invalid_request, "more than one stack is called '" + id_or_name + "': say " +
                                                found.named[0].id + " or " + found.named[1].id);
  const auto near = util::nearest(id_or_name, found.known);
  throw Error(ErrorKind::not_found,
              "there is no stack '" + id_or_name + "'" + (near ? "; did you mean '" + *near + "'?" : ""));
}

void check_phase(const std::string& field, const std::string& phase) {
  if (model::phase_from(phase)) return;
  std::vector<std::string> known;
  for (const auto& row : model::k_phases) known.emplace_back(row.name);
  const auto near = util::nearest(phase, known);
  throw Error(ErrorKind::invalid_request, "field '" + field + "': there is no phase '" + phase + "'" +
                                              (near ? "; did you mean '" + *near + "'?" : ""));
}

util::Error no_such_hook(const model::Spec& spec, const std::string& name) {
  std::vector<std::string> known;
  const auto add = [&](const model::Hook& hook) {
    const auto entry = model::to_string(hook.phase) + "[" + std::to_string(hook.index) + "]";
    known.push_back(hook.service.empty() ? entry : hook.service + "." + entry);
  };
  for (const auto& hook : spec.hooks) add(hook);
  for (const auto& service : spec.services)
    for (const auto& hook : service.hooks) add(hook);
  const auto near = util::nearest(name, known);
  return Error(ErrorKind::not_found, "the stack has no hook '" + name + "'" +
                                         (near            ? "; did you mean '" + *near + "'?"
                                          : known.empty() ? ": it has none"
                                                          : ": there are " + util::join(known, ", ")));
}

void check_service(const model::Stack& stack, const std::string& name) {
  if (stack.spec->find(name)) return;
  std::vector<std::string> known;
  for (const auto& service : stack.spec->services) known.push_back(service.name);
  const auto near = util::nearest(name, known);
  throw Error(ErrorKind::not_found, "stack '" + stack.id + "' has no service '" + name + "'" +
                                        (near ? "; did you mean '" + *near + "'?" : ""));
}

}  // namespace stackd::stacks
