// The wish that is about images alone. Of a stack that is up it goes by the files of its up, which are those
// that its down will go by; so they must be what they were.
#include "daemon/model/json.hpp"
#include "daemon/plan/plan.hpp"
#include "daemon/resolve/identity.hpp"
#include "daemon/stacks/beginning.hpp"
#include "daemon/stacks/manager.hpp"
#include "daemon/stacks/submit.hpp"
#include "daemon/translate/bake.hpp"
#include "daemon/util/error.hpp"
#include "daemon/world/stored_facts.hpp"

namespace stackd::stacks {
namespace {

using util::Error;
using util::ErrorKind;

plan::Wish wish_for_images(const proto::ImagesRequest& request, const model::Spec& spec) {
  plan::Wish wish;
  wish.services = request.stack.services;
  wish.rebuild = request.no_cache;
  wish.pull_base = request.pull;
  wish.build_args = request.build_args;
  wish.ssh = request.ssh;
  wish.push = request.push;
  wish.pull = request.policy.empty() ? "always" : request.policy;
  wish.include_deps = request.include_deps;
  wish.ignore_failures = request.ignore_failures;
  wish.digest = resolve::wish_hash(spec);
  return wish;
}

// On the store's thread. A stack that was never up is known from now on, as one that is down.
void put_stack(store::Database& db, const model::Stack& stack) {
  auto row = store::Stacks::get(db, stack.id).value_or(store::StackRow{});
  const bool known = !row.id.empty();
  row.id = stack.id;
  row.name = stack.spec->name;
  row.directory = stack.spec->directory;
  row.format = stack.spec->format;
  row.profile = stack.spec->profile;
  row.spec = model::to_json(*stack.spec).dump();
  row.facts = world::stored_facts(db, stack.id, *stack.spec, *stack.facts);
  row.updated_at = util::now_ms();
  if (!known) row.created_at = row.updated_at;
  store::Stacks::put(db, row);
}

}  // namespace

awaitable<nlohmann::json> Manager::bake(proto::ImagesRequest request) {
  auto loaded = co_await load_for_up(parts_, request.stack);
  const auto id = resolve::stack_id(loaded.spec.name, loaded.spec.directory);
  const plan::Request plain{.kind = plan::Kind::build, .wish = wish_for_images(request, loaded.spec)};
  plan::plan_images(loaded.spec, plain);  // a service that is not there is the caller's mistake
  const auto stack = beginning_of(id, std::move(loaded), std::nullopt, true);
  const auto& wish = plain.wish;
  co_return translate::bake_file(stack, {.services = wish.services,
                                         .args = wish.build_args,
                                         .ssh = wish.ssh,
                                         .no_cache = wish.rebuild,
                                         .pull = wish.pull_base,
                                         .push = wish.push});
}

awaitable<proto::Operation> Manager::images(proto::ImagesRequest request, std::string key) {
  const auto asked = asked_for(std::move(key), request.action, "", request);
  if (const auto known = co_await repeated(parts_, asked)) co_return *known;
  auto loaded = co_await load_for_up(parts_, request.stack);
  co_await parts_.engine.version();
  const auto id = resolve::stack_id(loaded.spec.name, loaded.spec.directory);
  auto query = [id](store::Database& db) { return store::Stacks::get(db, id); };
  const auto row = co_await parts_.journal.run(query);
  std::optional<model::Stack> before;
  if (row) before = co_await parts_.models.get(id);
  const plan::Request plain{.kind = plan::kind_from(request.action),
                            .wish = wish_for_images(request, loaded.spec)};
  plan::plan_images(loaded.spec, plain);  // a service that is not there is the caller's mistake
  Beginning beginning{.stack = id, .kind = plain.kind, .wish = plain.wish, .asked = asked};
  if (row && row->status != "down") {
    if (resolve::wish_hash(*before->spec) != resolve::wish_hash(loaded.spec))
      throw Error(ErrorKind::conflict,
                  "cannot " + request.action + " images of stack '" + loaded.spec.name +
                      "': it is up, and its files have changed since; `stackctl up --build` takes "
                      "the change over, `stackctl down` comes before a " +
                      request.action + " by itself");
    co_return co_await submit(parts_, std::move(beginning));
  }
  auto next = std::make_shared<model::Stack>();
  beginning.begins = [this, &loaded, next, id, before](const auto&) {
    *next = beginning_of(id, std::move(loaded), before, true);
    parts_.models.put(*next);
  };
  beginning.extra = [next](store::Database& db) { put_stack(db, *next); };
  beginning.unwritten = [this, id] { parts_.models.forget(id); };
  co_return co_await submit(parts_, std::move(beginning));
}

}  // namespace stackd::stacks
