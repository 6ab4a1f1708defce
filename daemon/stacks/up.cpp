// The wish that has files: read, named, checked, and then submitted with what they say.
#include <algorithm>

#include "daemon/model/json.hpp"
#include "daemon/plan/plan.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/resolve/identity.hpp"
#include "daemon/stacks/beginning.hpp"
#include "daemon/stacks/lookup.hpp"
#include "daemon/stacks/manager.hpp"
#include "daemon/stacks/submit.hpp"
#include "daemon/steps/foresee.hpp"
#include "daemon/store/kept.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"
#include "daemon/world/stack_state.hpp"
#include "daemon/world/stored_facts.hpp"

namespace stackd::stacks {
namespace {

using util::Error;
using util::ErrorKind;

// Whether a stack's containers, networks and volumes must not be named as its file or directory says: a stack
// of another directory, another checkout maybe, has that name. Once named apart it stays so, since its
// volumes are.
struct Namesakes {
  std::vector<store::StackNames> rows;  // of that name, or of the id that one of that name would have
  std::set<std::string> active;         // ids of stacks with an operation

  bool is_there(const store::StackNames& row) const {
    return row.status != "down" || active.contains(row.id);
  }
  bool apart(const std::string& name, const std::string& directory) const {
    const auto id = resolve::stack_id(name, directory);
    for (const auto& row : rows)
      if (row.id == id && (is_there(row) || row.name == id)) return row.name == id;
    return std::any_of(rows.begin(), rows.end(),
                       [&](const auto& row) { return row.name == name && row.id != id && is_there(row); });
  }
};

awaitable<Namesakes> namesakes(Parts& parts) {
  auto query = [](store::Database& db) { return store::Stacks::names(db); };
  Namesakes found;
  found.rows = co_await parts.journal.run(query);
  for (const auto& row : found.rows)
    if (parts.runner.active(row.id)) found.active.insert(row.id);
  co_return found;
}

// --skip-hooks names entries of the file, and such as can be left out.
void check_skipped(const model::Spec& spec, const std::string& name) {
  const auto hooks = plan::hooks_named(spec, name);
  if (hooks.empty()) throw no_such_hook(spec, name);
  const auto place = resolve::place_of(*hooks.front());
  if (place == model::HookPlace::build || place == model::HookPlace::entrypoint)
    throw Error(ErrorKind::invalid_request,
                "cannot skip '" + name + "': it is a part of " +
                    (place == model::HookPlace::build ? "the image" : "the container's command"));
}

// Two options of which one undoes the other.
void check_options(const proto::UpOptions& options) {
  const auto refuse = [](const char* a, const char* b) {
    throw Error(ErrorKind::invalid_request, std::string("cannot take '") + a + "' together with '" + b + "'");
  };
  if (!options.prepare.empty() && options.no_start) refuse("prepare", "no_start");
  if (options.no_recreate && options.force_recreate) refuse("no_recreate", "force_recreate");
  if (options.no_recreate && options.adopt) refuse("no_recreate", "adopt");
  if (options.no_recreate && options.always_recreate_deps) refuse("no_recreate", "always_recreate_deps");
  if (options.no_recreate && options.renew_anon_volumes) refuse("no_recreate", "renew_anon_volumes");
  if (options.no_build && (options.build || options.rebuild)) refuse("no_build", "build");
}

bool is_name_chosen(const proto::UpRequest& request) {
  return !request.project_name.empty() || request.environment.contains("COMPOSE_PROJECT_NAME");
}

// A one-off is of a service that has containers.
void check_prepared(const model::Spec& spec, const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const auto& service : spec.services) known.push_back(service.name);
  for (const auto& name : names) {
    const auto* service = spec.find(name);
    if (!service) {
      const auto near = util::nearest(name, known);
      throw Error(ErrorKind::not_found, "the stack file has no service '" + name + "'" +
                                            (near ? "; did you mean '" + *near + "'?" : ""));
    }
    if (!service->container)
      throw Error(ErrorKind::invalid_request,
                  "service '" + name + "' has no containers, it runs on this host: `stackctl exec " + name +
                      " COMMAND` runs a command beside it");
  }
}

// --scale names container services, and only those whose containers can be several.
void check_scale(const model::Spec& spec, const std::map<std::string, int>& scale) {
  for (const auto& [name, count] : scale) {
    const auto* service = spec.find(name);
    if (!service) {
      std::vector<std::string> known;
      for (const auto& one : spec.services) known.push_back(one.name);
      const auto near = util::nearest(name, known);
      throw Error(ErrorKind::not_found, "cannot scale '" + name + "': there is no such service" +
                                            (near ? "; did you mean '" + *near + "'?" : ""));
    }
    if (!service->container)
      throw Error(ErrorKind::invalid_request,
                  "cannot scale '" + name + "': it is a process of this machine, which runs once");
    if (count > 1 && !service->container->container_name.empty())
      throw Error(ErrorKind::invalid_request, "cannot scale '" + name + "' to " + std::to_string(count) +
                                                  ": only one container can have its container_name '" +
                                                  service->container->container_name + "'");
    const bool fixed =
        std::any_of(service->ports.begin(), service->ports.end(), [wanted = count](const model::Port& port) {
          return port.published &&
                 (port.published_end ? port.published_end - port.published + 1 : 1) < wanted;
        });
    if (fixed)
      throw Error(ErrorKind::invalid_request,
                  "cannot scale '" + name + "' to " + std::to_string(count) +
                      ": it publishes fixed host ports, fewer than that; leave the "
                      "host port out, or give a range");
  }
}

// What the file no longer has, but an earlier up may have started: stopping it takes its own hooks (X8).
std::vector<model::Service> gone_services(const model::Spec& spec, const model::Spec& old) {
  std::vector<model::Service> gone;
  for (const auto* list : {&old.services, &old.gone})
    for (const auto& service : *list) {
      const bool known =
          std::any_of(gone.begin(), gone.end(), [&](const auto& one) { return one.name == service.name; });
      // A container that became a process, or the other way about, is another thing of the same name.
      const auto* now = spec.find(service.name);
      if (!known && (!now || now->container.has_value() != service.container.has_value()))
        gone.push_back(service);
    }
  return gone;
}

// On the store's thread, in the operation's own transaction.
void put_stack(store::Database& db, const model::Stack& stack, bool adopt) {
  const auto before = store::Stacks::get(db, stack.id);
  auto row = before.value_or(store::StackRow{});
  row.id = stack.id;
  row.name = stack.spec->name;
  row.directory = stack.spec->directory;
  row.format = stack.spec->format;
  row.profile = stack.spec->profile;
  row.spec = model::to_json(*stack.spec).dump();
  row.facts = world::stored_facts(db, stack.id, *stack.spec, *stack.facts);
  auto state = before ? world::state_from(*before) : world::StackState{};
  state.touched = true;
  // X34: a stack that is up goes back to what it is now, should this up fail.
  if (before && state.up && before->status != "down") store::Former::remember(db, stack.id);
  row.extra = world::to_text(state);
  row.updated_at = util::now_ms();
  if (!before) row.created_at = row.updated_at;
  store::Stacks::put(db, row);
  // What an adoption takes over is put back too; the stack itself was nothing before (X37).
  if (adopt && !(state.up && before->status != "down")) store::Former::remember(db, stack.id);
}

std::optional<int> umask_of(const proto::UpRequest& request) {
  if (request.umask.empty()) return std::nullopt;
  const bool octal =
      request.umask.size() <= 4 && request.umask.find_first_not_of("01234567") == std::string::npos;
  if (octal)
    if (const int value = std::stoi(request.umask, nullptr, 8); value <= 0777) return value;
  throw Error(ErrorKind::invalid_request,
              "cannot use umask '" + request.umask + "': expected up to three octal digits, as 022");
}

}  // namespace

plan::Wish wish_of(const proto::UpRequest& request, const Loaded& loaded) {
  const auto& options = request.options;
  plan::Wish wish;
  wish.services = request.services;
  wish.build = options.build;
  wish.rebuild = options.rebuild;
  wish.force_recreate = options.force_recreate;
  wish.no_deps = options.no_deps;
  wish.remove_orphans = options.remove_orphans || loaded.remove_orphans;
  wish.ignore_orphans = loaded.ignore_orphans;
  wish.keep = options.keep || !loaded.spec.runtime.kill_others_on_fail;
  wish.pull = options.pull;
  wish.rerun = options.rerun_hooks;
  wish.skip_hooks = options.skip_hooks;
  wish.no_recreate = options.no_recreate;
  wish.always_recreate_deps = options.always_recreate_deps;
  wish.renew_volumes = options.renew_anon_volumes;
  wish.no_start = options.no_start;
  wish.no_build = options.no_build;
  wish.adopt = options.adopt;
  wish.stop_timeout = options.stop_timeout;
  wish.scale = options.scale;
  wish.prepare = options.prepare;
  if (options.timeout_ms) wish.deadline = std::chrono::milliseconds(*options.timeout_ms);
  // Two ups are the same when they ask for the same stack in the same way; what the environment gave is in
  // the spec.
  wish.digest = resolve::wish_hash(loaded.spec);
  return wish;
}

model::Stack beginning_of(const std::string& id, Loaded loaded, const std::optional<model::Stack>& before,
                          bool was_down) {
  auto& spec = loaded.spec;
  auto facts = before ? *before->facts : model::Facts{};
  facts.stack_id = id;
  facts.caller = std::move(loaded.environment);
  facts.umask = loaded.umask;
  facts.lich_id = resolve::worktree_id(spec.directory);
  facts.seen = std::move(loaded.seen);
  if (before && !was_down) spec.gone = gone_services(spec, *before->spec);
  return {id, std::make_shared<model::Spec>(std::move(spec)),
          std::make_shared<model::Facts>(std::move(facts))};
}

awaitable<Loaded> load_for_up(Parts& parts, proto::UpRequest request) {
  check_options(request.options);
  const auto umask = umask_of(request);
  const auto& rerun = request.options.rerun_hooks;
  if (!rerun.empty() && rerun != "all") check_phase("options.rerun_hooks", rerun);
  const bool chosen = is_name_chosen(request);
  auto wanted = load_request(request);
  const auto& prepare = request.options.prepare;
  // One that is named is of the stack whatever its profiles are.
  wanted.services.insert(wanted.services.end(), prepare.begin(), prepare.end());
  if (!chosen) {
    const auto there = co_await namesakes(parts);
    const auto others = std::make_shared<const Namesakes>(there);
    wanted.rename = [others](const std::string& name, const std::string& directory) {
      return others->apart(name, directory) ? resolve::stack_id(name, directory) : name;
    };
  }
  auto loaded = co_await load(parts, std::move(wanted));
  loaded.umask = umask;
  check_scale(loaded.spec, request.options.scale);
  check_prepared(loaded.spec, prepare);
  for (const auto& name : request.options.skip_hooks) check_skipped(loaded.spec, name);
  co_return loaded;
}

awaitable<proto::Operation> Manager::up(proto::UpRequest request, std::string key) {
  const auto asked = asked_for(std::move(key), "up", "", request);
  if (const auto known = co_await repeated(parts_, asked)) co_return *known;
  const bool chosen = is_name_chosen(request);
  auto loaded = co_await load_for_up(parts_, request);
  const auto id = resolve::stack_id(loaded.spec.name, loaded.spec.directory);
  // Two checkouts that come up at once ask one after the other: the second may find the name taken now.
  async::NameLock naming(parts_.naming);
  co_await naming.take(loaded.spec.name);
  if (!chosen && plan::needs_engine(loaded.spec)) {
    const auto now = co_await namesakes(parts_);
    if (loaded.spec.name != id && now.apart(loaded.spec.name, loaded.spec.directory)) {
      request.project_name = id;
      loaded = co_await load_for_up(parts_, request);
    }
  }
  auto query = [id](store::Database& db) { return store::Stacks::get(db, id); };
  const auto row = co_await parts_.journal.run(query);
  std::optional<model::Stack> before;
  if (row) before = co_await parts_.models.get(id);
  const bool was_down = row && row->status == "down";
  const auto wish = wish_of(request, loaded);
  const bool hopeful = row && row->status == "up" && plan::may_find_nothing_to_do(wish);
  steps::Lists there;
  there.asked_at = util::now_ms();
  if (plan::needs_engine(loaded.spec)) {
    co_await parts_.engine.version();
    if (hopeful)
      there = co_await steps::list_all(parts_.steps, id, loaded.spec);
    else
      there.containers = co_await steps::list_project(parts_.steps, loaded.spec.name);
    check_foreign(there.containers, loaded.spec, request.options.adopt);
  }
  Beginning beginning{.stack = id, .kind = plan::Kind::up, .wish = wish, .asked = asked};
  // Of the stack as it will be: only an operation of its own could change the facts meanwhile.
  if (hopeful)
    beginning.foresee = [this, stack = beginning_of(id, loaded, before, was_down),
                         there = std::move(there)](const store::OperationRow& operation) {
      return steps::foresee_up(parts_.steps, stack, operation, there);
    };
  auto next = std::make_shared<model::Stack>();
  // Right before it is written: nobody changes the facts between this and the row.
  beginning.begins = [this, &loaded, next, id, before, was_down](const auto&) {
    const auto now = parts_.models.known(id);
    *next = beginning_of(id, std::move(loaded), now ? now : before, was_down);
    parts_.models.put(*next);
  };
  beginning.extra = [next, rerun = request.options.rerun_hooks,
                     adopt = request.options.adopt](store::Database& db) {
    put_stack(db, *next, adopt);
    if (!rerun.empty()) store::HookRuns::forget(db, next->id, "", rerun == "all" ? "" : rerun);
  };
  // Only what this one has put: another's up may just be writing its own.
  beginning.unwritten = [this, id] { parts_.models.forget(id); };
  co_return co_await submit(parts_, std::move(beginning));
}

}  // namespace stackd::stacks
