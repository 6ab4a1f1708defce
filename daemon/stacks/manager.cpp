// Wishes: each becomes an operation, or joins one, or is refused (X25).
#include "daemon/stacks/manager.hpp"

#include <algorithm>

#include "daemon/async/deadline.hpp"
#include "daemon/spec/compose_tree.hpp"
#include "daemon/spec/identity.hpp"
#include "daemon/spec/json.hpp"
#include "daemon/stacks/lookup.hpp"
#include "daemon/stacks/observe.hpp"
#include "daemon/stacks/services.hpp"
#include "daemon/stacks/views.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/ids.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stacks {
namespace {

using nlohmann::json;
using store::OperationRow;
using util::Error;
using util::ErrorKind;

// Long enough for an up that has nothing to do, short enough not to be felt by one that has.
constexpr std::chrono::milliseconds k_courtesy{25};

Error busy(const OperationRow& running) {
  return Error(ErrorKind::conflict,
               "stack '" + running.stack_id + "' is busy: operation " + running.id + " (" + running.kind +
                   ") is running; wait for it or cancel it",
               {running.id});
}

// Options and services by which two requests are the same wish (X25).
bool same_wish(const OperationRow& running, const std::string& kind, const json& request) {
  auto running_for = json::parse(running.request);
  running_for.erase("asked");
  return running.kind == kind && !running.cancel_requested && running.mode == "forward" &&
         running_for == request;
}

constexpr std::size_t k_id_digits = 12;

// The id comes from the client's key, so that the store itself knows a wish again.
std::string operation_id(const std::string& key) {
  return "op-" + (key.empty() ? util::random_hex(k_id_digits) : util::sha256_hex(key).substr(0, k_id_digits));
}

// What a client asked for under a key of its own. `asked` is a hash of its words: what they mean may change.
struct Asked {
  std::string key, asked;
};

template <class Request>
Asked asked_for(std::string key, const std::string& kind, const std::string& stack, const Request& request) {
  return {std::move(key), util::sha256_hex(json{kind, stack, request}.dump())};
}

OperationRow new_operation(const std::string& stack, const std::string& kind, json request,
                           const Asked& wish) {
  if (!wish.key.empty()) request["asked"] = wish.asked;
  OperationRow row;
  row.id = operation_id(wish.key);
  row.stack_id = stack;
  row.kind = kind;
  row.request = request.dump();
  row.created_at = util::now_ms();
  return row;
}

std::vector<operations::StepPlan> first_step(const std::string& kind) {
  const bool up = kind == "up" || kind == "start";
  operations::StepPlan step;
  step.key = kind == "restart" ? "plan-stop" : "plan";
  step.kind = up ? "plan-up" : "plan-down";
  return {step};
}

struct Rows {
  OperationRow operation;
  std::vector<store::StepRow> steps;
};

awaitable<std::optional<Rows>> rows_of(Services& services, std::string id) {
  auto query = [id](store::Database& db) -> std::optional<Rows> {
    auto operation = store::Operations::get(db, id);
    if (!operation) return std::nullopt;
    return Rows{std::move(*operation), store::Steps::of_operation(db, id)};
  };
  return services.journal.run(query);
}

awaitable<proto::Operation> view_of(Services& services, std::string id) {
  const auto rows = co_await rows_of(services, id);
  if (!rows) throw Error(ErrorKind::not_found, "there is no operation '" + id + "'");
  co_return operation_view(rows->operation, rows->steps);
}

// What a wish with this key became, when it came before.
awaitable<std::optional<proto::Operation>> repeated(Services& services, Asked wish) {
  if (wish.key.empty()) co_return std::nullopt;
  const auto known = co_await rows_of(services, operation_id(wish.key));
  if (!known) co_return std::nullopt;
  if (json::parse(known->operation.request).value("asked", "") != wish.asked)
    throw Error(ErrorKind::invalid_request,
                "cannot take this: its Idempotency-Key was that of another wish, which became " +
                    known->operation.kind + " " + known->operation.id + "; give each wish its own");
  co_return operation_view(known->operation, known->steps);
}

awaitable<proto::Operation> joined(Services& services, std::string id) {
  auto view = co_await view_of(services, id);
  view.joined = true;
  co_return view;
}

// The rows that an up begins with: the spec (with its down hooks, X12) and the facts that are known already.
store::StackRow stack_row(const spec::Spec& spec, const std::string& id,
                          const std::optional<store::StackRow>& before, const proto::UpRequest& request,
                          const std::string& operation) {
  store::StackRow row;
  if (before) row = *before;
  row.id = id;
  row.name = spec.name;
  row.directory = spec.directory;
  row.format = spec.format;
  row.profile = spec.profile;
  row.spec = spec::to_json(spec).dump();
  auto facts = before ? spec::facts_from_json(json::parse(before->facts)) : spec::Facts{};
  facts.stack_id = id;
  facts.caller = request.environment;
  facts.lich_id = spec::worktree_id(spec.directory);
  row.facts = spec::to_json(facts).dump();
  auto extra = before && !before->extra.empty() ? json::parse(before->extra) : json::object();
  extra["touched"] = true;
  row.extra = extra.dump();
  row.last_operation = operation;
  row.updated_at = util::now_ms();
  if (!before) row.created_at = row.updated_at;
  return row;
}

// What the file no longer has, but an earlier up may have started: stopping it takes its own hooks (X8).
std::vector<spec::Service> gone_services(const spec::Spec& spec,
                                         const std::optional<store::StackRow>& before) {
  std::vector<spec::Service> gone;
  if (!before || before->spec.empty() || before->status == "down") return gone;
  const auto old = spec::spec_from_json(json::parse(before->spec));
  for (const auto* list : {&old.services, &old.gone})
    for (const auto& service : *list) {
      const bool known =
          std::any_of(gone.begin(), gone.end(), [&](const auto& s) { return s.name == service.name; });
      // A container that became a process, or the other way about, is another thing of the same name.
      const auto* now = spec.find(service.name);
      if (!known && (!now || now->container.has_value() != service.container.has_value()))
        gone.push_back(service);
    }
  return gone;
}

// Whether this stack's containers, networks and volumes must not be named as its file or directory says: a
// stack of another directory, another checkout maybe, has that name. Once named apart it stays so, since its
// volumes are.
awaitable<bool> is_named_apart(Services& services, std::string id, std::string name) {
  struct Rows {
    std::optional<store::StackRow> own;
    std::vector<store::StackRow> namesakes;
  };
  auto query = [id, name](store::Database& db) {
    return Rows{store::Stacks::get(db, id), store::Stacks::named(db, name)};
  };
  const auto rows = co_await services.journal.run(query);
  const auto is_there = [&](const store::StackRow& row) {
    return row.status != "down" || services.runner->active(row.id);
  };
  if (rows.own && (is_there(*rows.own) || rows.own->name == id)) co_return rows.own->name == id;
  co_return std::any_of(rows.namesakes.begin(), rows.namesakes.end(),
                        [&](const auto& row) { return row.id != id && is_there(row); });
}

// --scale names container services, and only those whose containers can be several.
void check_scale(const spec::Spec& spec, const std::map<std::string, int>& scale) {
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
    const bool fixed = std::any_of(
        service->ports.begin(), service->ports.end(), [&, wanted = count](const spec::Port& port) {
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

// C10.4: what Compose's variables say of orphans, as the flag would.
struct OrphanVariables {
  bool ignore = false, remove = false;
};
awaitable<OrphanVariables> orphan_variables(Services& services, proto::UpRequest request,
                                            std::string directory) {
  auto work = [request, directory](FileWorker&) {
    spec::Problems reported_before;  // the loader read `.env`, too
    const auto variables = spec::compose_variables(directory, request.environment, reported_before);
    const auto is_set = [&](const char* name) {
      const auto found = variables.find(name);
      return found != variables.end() &&
             (found->second == "1" || util::starts_with_icase(found->second, "t") ||
              util::starts_with_icase(found->second, "y"));
    };
    return OrphanVariables{is_set("COMPOSE_IGNORE_ORPHANS"), is_set("COMPOSE_REMOVE_ORPHANS")};
  };
  co_return co_await services.files.run(work);
}

// Submits, and waits a moment so that what is over at once is answered at once.
awaitable<proto::Operation> submit(Services& services, OperationRow row,
                                   std::function<void(store::Database&)> extra) {
  const auto steps = first_step(row.kind);
  const auto id = co_await services.runner->submit(row, steps, std::move(extra));
  try {
    auto ended = services.runner->wait(id);
    co_await async::within(k_courtesy, "operation", std::move(ended));
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::timed_out) throw;
  }
  co_return co_await view_of(services, id);
}

// What stackd does by itself is no reason to refuse a wish: it is cancelled, and the wish comes after it.
// Returns the operation to wait for, "" when there is none.
awaitable<std::string> take_turn(Services& services, std::string stack) {
  const auto running = services.runner->active(stack);
  if (!running) co_return "";
  if (running->kind != "recover") throw busy(*running);
  co_await services.runner->cancel(running->id);
  co_return running->id;
}

// stop, start, restart: a stored stack, named services.
awaitable<proto::Operation> submit_for(Services& services, std::string stack, std::string kind,
                                       proto::ServicesRequest wish, std::string key) {
  const auto asked = asked_for(std::move(key), kind, stack, wish);
  if (const auto known = co_await repeated(services, asked)) co_return *known;
  const auto row = co_await find_stack(services, stack);
  const auto model = co_await services.models.get(row.id);
  for (const auto& name : wish.services) check_service(model, name);
  const json request = wish;
  if (const auto running = services.runner->active(row.id)) {
    if (same_wish(*running, kind, request)) co_return co_await joined(services, running->id);
  }
  if (needs_engine(*model.spec)) co_await services.engine.version();
  auto operation = new_operation(row.id, kind, request, asked);
  operation.after = co_await take_turn(services, row.id);
  if (const auto running = services.runner->active(row.id); running && running->id != operation.after)
    throw busy(*running);
  co_return co_await submit(services, operation, set_last_operation(row.id, operation.id));
}

}  // namespace

Manager::Manager(Services& services) : services_(services) {}
Manager::~Manager() = default;

awaitable<proto::Operation> Manager::up(proto::UpRequest request, std::string key) {
  const auto asked = asked_for(std::move(key), "up", "", request);
  if (const auto known = co_await repeated(services_, asked)) co_return *known;
  auto spec = co_await load_spec(services_, request);
  check_scale(spec, request.options.scale);
  const auto id = spec::stack_id(spec.name, spec.directory);
  const auto orphans = co_await orphan_variables(services_, request, spec.directory);
  request.options.remove_orphans = request.options.remove_orphans || orphans.remove;
  // Two checkouts that come up at once ask one after the other.
  NameLock naming(services_.deriving);
  co_await naming.take("project " + spec.name);
  const bool chosen = !request.project_name.empty() || request.environment.contains("COMPOSE_PROJECT_NAME");
  bool apart = false;
  if (!chosen && needs_engine(spec)) apart = co_await is_named_apart(services_, id, spec.name);
  if (apart) {
    request.project_name = id;
    spec = co_await load_spec(services_, request);
  }
  json wish{{"services", request.services},
            {"options", request.options},
            {"ignore_orphans", orphans.ignore},
            {"keep", request.options.keep || !spec.runtime.kill_others_on_fail}};
  // Two ups are the same when they ask for the same stack in the same way; what the environment gave is in
  // the spec.
  wish["digest"] = spec::wish_hash(spec);
  if (const auto running = services_.runner->active(id)) {
    if (same_wish(*running, "up", wish)) co_return co_await joined(services_, running->id);
    if (running->kind != "recover") throw busy(*running);
  }
  if (needs_engine(spec)) co_await services_.engine.version();
  auto query = [id](store::Database& db) { return store::Stacks::get(db, id); };
  const auto before = co_await services_.journal.run(query);
  spec.gone = gone_services(spec, before);
  auto operation = new_operation(id, "up", wish, asked);
  const auto row = stack_row(spec, id, before, request, operation.id);
  // Another request may have come in while this one read its files.
  if (const auto running = services_.runner->active(id)) {
    if (same_wish(*running, "up", wish)) co_return co_await joined(services_, running->id);
  }
  operation.after = co_await take_turn(services_, id);
  if (const auto running = services_.runner->active(id); running && running->id != operation.after)
    throw busy(*running);
  services_.models.forget(id);
  auto extra = [row](store::Database& db) { store::Stacks::put(db, row); };
  co_return co_await submit(services_, operation, extra);
}

awaitable<proto::Operation> Manager::down(std::string stack, proto::DownRequest request, std::string key) {
  const auto asked = asked_for(std::move(key), "down", stack, request);
  if (const auto known = co_await repeated(services_, asked)) co_return *known;
  const auto row = co_await find_stack(services_, stack);
  const auto model = co_await services_.models.get(row.id);
  for (const auto& name : request.services) check_service(model, name);
  const json wish = request;
  auto operation = new_operation(row.id, "down", wish, asked);
  if (const auto running = services_.runner->active(row.id)) {
    if (same_wish(*running, "down", wish)) co_return co_await joined(services_, running->id);
    if (running->kind == "down" || running->kind == "stop") throw busy(*running);
    operation.after = running->id;  // part Y: down cancels a running up, and begins when that has ended
    co_await services_.runner->cancel(running->id);
  }
  if (needs_engine(*model.spec)) co_await services_.engine.version();
  co_return co_await submit(services_, operation, set_last_operation(row.id, operation.id));
}

awaitable<proto::Operation> Manager::stop(std::string stack, proto::ServicesRequest request,
                                          std::string key) {
  return submit_for(services_, std::move(stack), "stop", std::move(request), std::move(key));
}
awaitable<proto::Operation> Manager::start(std::string stack, proto::ServicesRequest request,
                                           std::string key) {
  return submit_for(services_, std::move(stack), "start", std::move(request), std::move(key));
}
awaitable<proto::Operation> Manager::restart(std::string stack, proto::ServicesRequest request,
                                             std::string key) {
  return submit_for(services_, std::move(stack), "restart", std::move(request), std::move(key));
}

awaitable<void> Manager::forget(std::string stack) {
  const auto row = co_await find_stack(services_, stack);
  if (const auto running = services_.runner->active(row.id)) throw busy(*running);
  if (row.status != "down")
    throw Error(ErrorKind::conflict,
                "cannot forget stack '" + row.id + "': it is " + row.status + "; take it down first");
  auto write = [id = row.id](store::Database& db) { store::Stacks::remove(db, id); };
  co_await services_.journal.commit(write);
  services_.models.forget(row.id);
  auto work = [directory = services_.paths.stack(row.id)](FileWorker&) {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  };
  co_await services_.files.run(work);
}

awaitable<proto::Operation> Manager::cancel(std::string operation) {
  const auto view = co_await view_of(services_, operation);
  if (view.state == "succeeded" || view.state == "failed")
    throw Error(ErrorKind::conflict, "cannot cancel operation " + view.id + ": it has ended, " + view.state);
  co_await services_.runner->cancel(view.id);
  co_return co_await view_of(services_, view.id);
}

awaitable<proto::Operation> Manager::wait(std::string operation) {
  const auto view = co_await view_of(services_, operation);
  if (view.state != "running") co_return view;
  co_await services_.runner->wait(view.id);
  co_return co_await view_of(services_, view.id);
}

awaitable<proto::Validation> Manager::validate(proto::UpRequest request) {
  proto::Validation result;
  try {
    const auto sources = co_await find_sources(services_, request);
    result.directory = sources.directory;
    result.format = sources.format;
    result.files = sources.files;
    const auto spec = co_await load_spec(services_, request);
    result.name = spec.name;
    result.warnings = spec.warnings;
    for (const auto& service : spec.services) result.services.push_back(service.name);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::invalid_file) throw;
    result.valid = false;
    result.errors = e.details().empty() ? std::vector<std::string>{e.what()} : e.details();
  }
  co_return result;
}

}  // namespace stackd::stacks
