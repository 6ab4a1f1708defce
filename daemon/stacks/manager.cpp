// Wishes for stacks that are known.
#include "daemon/stacks/manager.hpp"

#include "daemon/plan/plan.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/stacks/beginning.hpp"
#include "daemon/stacks/lookup.hpp"
#include "daemon/stacks/submit.hpp"
#include "daemon/store/kept.hpp"
#include "daemon/util/error.hpp"

namespace stackd::stacks {
namespace {

using plan::Kind;
using util::Error;
using util::ErrorKind;

awaitable<proto::Operation> submit_for(Parts& parts, std::string name, Kind kind, plan::Wish wish,
                                       Asked asked) {
  if (const auto known = co_await repeated(parts, asked)) co_return *known;
  const auto row = co_await find_stack(parts, name);
  const auto stack = co_await parts.models.get(row.id);
  for (const auto& service : wish.services) check_service(stack, service);
  if (plan::needs_engine(*stack.spec)) co_await parts.engine.version();
  Beginning beginning{.stack = row.id, .kind = kind, .wish = std::move(wish), .asked = asked};
  co_return co_await submit(parts, std::move(beginning));
}

awaitable<proto::Operation> submit_services(Parts& parts, std::string name, Kind kind,
                                            proto::ServicesRequest request, std::string key) {
  auto asked = asked_for(std::move(key), plan::to_string(kind), name, request);
  return submit_for(parts, std::move(name), kind, wish_of(request), std::move(asked));
}

}  // namespace

plan::Wish wish_of(const proto::DownRequest& request) {
  plan::Wish wish;
  wish.services = request.services;
  wish.volumes = request.volumes;
  wish.remove_orphans = request.remove_orphans;
  wish.no_hooks = request.no_hooks;
  wish.rmi = request.rmi;
  wish.stop_timeout = request.timeout;
  return wish;
}

plan::Wish wish_of(const proto::ServicesRequest& request) {
  plan::Wish wish;
  wish.services = request.services;
  wish.stop_timeout = request.timeout;
  wish.no_deps = request.no_deps;
  return wish;
}

Manager::Manager(Parts& parts) : parts_(parts) {}
Manager::~Manager() = default;

awaitable<proto::Operation> Manager::down(std::string stack, proto::DownRequest request, std::string key) {
  auto asked = asked_for(std::move(key), plan::to_string(Kind::down), stack, request);
  return submit_for(parts_, std::move(stack), Kind::down, wish_of(request), std::move(asked));
}

awaitable<proto::Operation> Manager::stop(std::string stack, proto::ServicesRequest request,
                                          std::string key) {
  return submit_services(parts_, std::move(stack), Kind::stop, std::move(request), std::move(key));
}
awaitable<proto::Operation> Manager::start(std::string stack, proto::ServicesRequest request,
                                           std::string key) {
  return submit_services(parts_, std::move(stack), Kind::start, std::move(request), std::move(key));
}
awaitable<proto::Operation> Manager::restart(std::string stack, proto::ServicesRequest request,
                                             std::string key) {
  return submit_services(parts_, std::move(stack), Kind::restart, std::move(request), std::move(key));
}

awaitable<proto::Operation> Manager::roll_back(std::string stack, std::string key) {
  auto asked = asked_for(std::move(key), plan::to_string(Kind::rollback), stack, "");
  if (const auto known = co_await repeated(parts_, asked)) co_return *known;
  const auto row = co_await find_stack(parts_, stack);
  // While an operation runs, what is kept is for its own way back; the gate says so.
  auto query = [id = row.id](store::Database& db) { return store::Former::exists(db, id); };
  const bool kept = co_await parts_.journal.run(query);
  if (!kept && !parts_.runner.active(row.id))
    throw Error(ErrorKind::not_found,
                "stack '" + row.id +
                    "' has nothing to go back to: nothing is kept of what was up before "
                    "(an up that fails with --keep keeps it)");
  plan::Wish nothing;
  co_return co_await submit_for(parts_, row.id, Kind::rollback, std::move(nothing), std::move(asked));
}

awaitable<proto::Operation> Manager::run_hooks(std::string stack, proto::HooksRunRequest request,
                                               std::string key) {
  const auto asked = asked_for(std::move(key), plan::to_string(Kind::hooks), stack, request);
  if (const auto known = co_await repeated(parts_, asked)) co_return *known;
  const auto row = co_await find_stack(parts_, stack);
  const auto model = co_await parts_.models.get(row.id);
  if (request.hooks.empty())
    throw Error(ErrorKind::invalid_request, "field 'hooks' is empty: which are to run?");
  for (const auto& name : request.hooks) {
    const auto hooks = plan::hooks_named(*model.spec, name);
    if (hooks.empty()) throw no_such_hook(*model.spec, name);
    const auto place = resolve::place_of(*hooks.front());
    if (place == model::HookPlace::build || place == model::HookPlace::entrypoint)
      throw Error(ErrorKind::invalid_request,
                  "cannot run '" + name + "' by hand: it is a part of " +
                      (place == model::HookPlace::build ? "the image" : "the container's command"));
  }
  if (row.status == "down")
    throw Error(ErrorKind::conflict,
                "cannot run hooks of stack '" + row.id + "': it is down; bring it up first");
  plan::Wish wish;
  wish.hooks = request.hooks;
  Beginning beginning{.stack = row.id, .kind = Kind::hooks, .wish = std::move(wish), .asked = asked};
  co_return co_await submit(parts_, std::move(beginning));
}

awaitable<int> Manager::reset_hooks(std::string stack, std::string phase) {
  if (!phase.empty()) check_phase("phase", phase);
  const auto row = co_await find_stack(parts_, stack);
  auto write = [id = row.id, phase](store::Database& db) {
    return store::HookRuns::forget(db, id, "", phase);
  };
  co_return co_await parts_.journal.commit(write);
}

awaitable<void> Manager::forget(std::string stack) {
  const auto row = co_await find_stack(parts_, stack);
  if (const auto running = parts_.runner.active(row.id)) throw busy(*running);
  if (row.status != "down")
    throw Error(ErrorKind::conflict,
                "cannot forget stack '" + row.id + "': it is " + row.status + "; take it down first");
  parts_.models.forget(row.id);
  // An up that came meanwhile has its row in the same store, before this or after it.
  auto write = [id = row.id](store::Database& db) {
    const auto now = store::Stacks::get(db, id);
    if (!now || now->status != "down") return false;
    store::Stacks::remove(db, id);
    return true;
  };
  const bool removed = co_await parts_.journal.commit(write);
  if (!removed)
    throw Error(ErrorKind::conflict, "cannot forget stack '" + row.id + "': it has come up meanwhile");
  parts_.picture.touch(row.id);  // no event tells of it
  if (parts_.runner.active(row.id)) co_return;
  parts_.models.forget(row.id);
  auto work = [directory = parts_.paths.stack(row.id)](async::FileWorker&) {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  };
  co_await parts_.files.run(work);
}

awaitable<proto::Operation> Manager::cancel(std::string operation) {
  const auto view = co_await operation_by_id(parts_, operation);
  if (view.state == "succeeded" || view.state == "failed")
    throw Error(ErrorKind::conflict, "cannot cancel operation " + view.id + ": it has ended, " + view.state);
  co_await parts_.runner.cancel(view.id);
  co_return co_await operation_by_id(parts_, view.id);
}

awaitable<proto::Operation> Manager::wait(std::string operation) {
  const auto view = co_await operation_by_id(parts_, operation);
  if (view.state != "running") co_return view;
  co_await parts_.runner.wait(view.id);
  co_return co_await operation_by_id(parts_, view.id);
}

}  // namespace stackd::stacks
