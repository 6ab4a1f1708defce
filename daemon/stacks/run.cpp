// A one-off of a service: what it needs is brought up by an operation, where there is anything to do; the
// container itself is none's, and whoever asked for it is at its ends.
#include "daemon/async/shielded.hpp"
#include "daemon/compose/short_forms.hpp"
#include "daemon/docker/in_flight.hpp"
#include "daemon/hooks/call.hpp"
#include "daemon/hooks/pre_run.hpp"
#include "daemon/plan/plan.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/resolve/identity.hpp"
#include "daemon/stacks/attended/one_offs.hpp"
#include "daemon/stacks/beginning.hpp"
#include "daemon/stacks/containers.hpp"
#include "daemon/stacks/manager.hpp"
#include "daemon/stacks/talk.hpp"
#include "daemon/steps/common/holders.hpp"
#include "daemon/steps/common/look.hpp"
#include "daemon/steps/common/secret_files.hpp"
#include "daemon/translate/definitions.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/translate/one_off.hpp"
#include "daemon/translate/pre_run.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/ids.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stacks {
namespace {

using util::Error;
using util::ErrorKind;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorKind::invalid_request, "cannot run a one-off: " + why);
}

std::map<std::string, std::string> pairs_of(const std::vector<std::string>& texts, const char* what,
                                            bool value_needed) {
  std::map<std::string, std::string> pairs;
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    if (equals == 0 || text.empty() || (value_needed && equals == std::string::npos))
      refuse("'" + text + "' of its " + what + " is not NAME=VALUE");
    pairs[text.substr(0, equals)] = equals == std::string::npos ? "" : text.substr(equals + 1);
  }
  return pairs;
}

translate::Overrides overrides_of(const proto::RunRequest& request) {
  translate::Overrides over;
  if (!request.command.empty()) over.command = request.command;
  if (request.entrypoint) {
    over.entrypoint = compose::shell_words(*request.entrypoint);
    if (!over.entrypoint) refuse("its entrypoint '" + *request.entrypoint + "' leaves a quote open");
  }
  over.environment = pairs_of(request.environment, "environment", true);
  over.labels = pairs_of(request.labels, "labels", false);
  over.user = request.user;
  over.working_dir = request.working_dir;
  over.cap_add = request.cap_add;
  over.cap_drop = request.cap_drop;
  over.service_ports = request.service_ports;
  over.tty = request.tty;
  if (request.service_ports && !request.ports.empty())
    refuse("'service_ports' and 'ports' exclude each other");
  for (const auto& text : request.ports) {
    std::vector<model::Port> ports;
    try {
      ports = compose::parse_short_ports(text);
    } catch (const Error& error) {
      refuse(error.what());
    }
    over.ports.insert(over.ports.end(), ports.begin(), ports.end());
  }
  for (const auto& text : request.volumes) {
    const auto mount = compose::short_mount(text);
    if (!mount) refuse("'" + text + "' is no volume; expected [SOURCE:]TARGET[:OPTIONS]");
    if (mount->type == "bind" && mount->source.front() != '/')
      refuse("'" + mount->source + "' of '" + text + "' is not an absolute path");
    over.mounts.push_back(*mount);
  }
  return over;
}

proto::UpRequest preparing_request(const proto::RunRequest& request) {
  auto up = request.stack;
  up.services.clear();
  up.options = {};
  up.options.prepare = {request.service};
  up.options.no_deps = request.no_deps;
  up.options.build = request.build;
  up.options.pull = request.pull;
  up.options.remove_orphans = request.remove_orphans;
  return up;
}

awaitable<std::optional<store::StackRow>> row_of(Parts& parts, std::string id) {
  auto query = [id](store::Database& db) { return store::Stacks::get(db, id); };
  return parts.journal.run(query);
}

// An operation that began between our look and our wish is waited for, as any other is.
awaitable<std::optional<proto::Operation>> submit_preparing(Manager& manager, Parts& parts,
                                                            proto::UpRequest up, std::string id) {
  std::optional<Error> busy;
  proto::Operation operation;
  try {
    operation = co_await manager.up(std::move(up));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::conflict || !parts.runner.active(id)) throw;
    busy = error;
  }
  if (busy) co_return std::nullopt;
  co_return operation;
}

void check_ended(const proto::Operation& operation, const std::string& service) {
  if (operation.state == "succeeded") return;
  const auto what = "cannot run a one-off of service '" + service + "': what it needs is not there: ";
  if (operation.error)
    throw Error(ErrorKind::failed, what + operation.error->message, operation.error->details);
  throw Error(ErrorKind::failed, what + "operation " + operation.id + " was " + operation.state);
}

// The stack by its files, with all that the service needs.
awaitable<model::Stack> prepared_stack(Manager& manager, Parts& parts, proto::RunRequest request,
                                       const ExecEnds& ends) {
  const auto up = preparing_request(request);
  for (;;) {
    auto loaded = co_await load_for_up(parts, up);
    const auto id = resolve::stack_id(loaded.spec.name, loaded.spec.directory);
    if (!request.no_wait) co_await until_quiet(parts, id);
    const auto row = co_await row_of(parts, id);
    bool wanted = !row.has_value();
    const bool as_is = request.no_wait && parts.runner.active(id);
    if (!as_is && !wanted) {
      proto::PlanRequest question;
      question.up = up;
      const auto plan = co_await manager.plan(std::move(question));
      wanted = plan.to_do;
    }
    if (wanted) {
      auto operation = co_await submit_preparing(manager, parts, up, id);
      if (!operation) continue;
      if (operation->state == "running") {
        if (ends.preparing) co_await ends.preparing(*operation);
        operation = co_await manager.wait(operation->id);
      }
      check_ended(*operation, request.service);
    }
    const auto before = co_await parts.models.fresh(id);
    co_return beginning_of(id, std::move(loaded), before, false);
  }
}

struct Image {
  std::string reference, id;
  translate::ImageFacts facts;
};

awaitable<Image> image_of(Parts& parts, model::Stack stack, const model::Service& service) {
  plan::Snapshot seen;
  seen.engine = true;
  const std::set<std::string> services{service.name};
  co_await steps::look_for_one_off(parts.steps, stack, services, seen);
  const auto* made_from = plan::made_from(stack, service, seen);
  const auto reference = translate::image_of(*stack.spec, service);
  if (!made_from)
    throw Error(ErrorKind::failed, "cannot run a one-off of service '" + service.name + "': its image '" +
                                       reference + "' is not there");
  Image image{reference, made_from->id, translate::facts_of(*made_from)};
  // With build hooks it is another one.
  const auto base = seen.images.find(reference);
  if (base != seen.images.end() && base->second && base->second->id != image.id)
    image.reference = made_from->tags.empty() ? image.id : made_from->tags.front();
  co_return image;
}

// One that nobody waited for to its end is ended.
struct UnfinishedRun {
  OneOffs& one_offs;
  std::optional<store::OneOffRow> row;
  ~UnfinishedRun() {
    if (row) one_offs.end(std::move(*row));
  }
};

// All that its making and its hooks have to know.
struct Making {
  model::Stack stack;
  model::Service service;  // as its one-off is
  store::OneOffRow row;
  store::OperationRow operation;  // the stack's last one, of which the hooks' records are
};

// Networks beyond the first, and files that are not on disk.
awaitable<void> complete(Parts& parts, const Making& making, translate::ContainerRequest request,
                         std::string id) {
  for (const auto& [network, endpoint] : request.more_networks) {
    const nlohmann::json body{{"Container", id}, {"EndpointConfig", endpoint}};
    co_await parts.engine.connect_network(network, body);
  }
  const auto files = steps::secret_files(*making.stack.spec, *making.stack.facts, making.service);
  if (!files.empty()) co_await parts.engine.put_archive(id, "/", files);
}

awaitable<std::string> make(Parts& parts, const Making& making, translate::ContainerRequest request) {
  const auto name = making.row.name;
  std::optional<Error> taken;
  std::string id;
  try {
    // Not left to itself when the client goes: what is being made has to be found again.
    auto create = docker::create_or_find(parts.engine, name, request.body, request.platform);
    id = co_await async::shielded(std::move(create));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::conflict) throw error.wrap("service '" + making.service.name + "'");
    taken = error;
  }
  if (taken) {
    const auto holder = co_await steps::holder_of_name(parts.engine, making.stack, name);
    throw Error(ErrorKind::failed, "cannot create container '" + name + "': the name is taken; " +
                                       (holder.empty() ? taken->what() : holder));
  }
  co_await complete(parts, making, request, id);
  co_return id;
}

std::string token_of(const Making& making) {
  return making.operation.id + "-" + making.row.id.substr(making.row.id.find('-') + 1);
}

hooks::PreRunStart pre_run_start(const Making& making, const std::string& container) {
  hooks::PreRunStart start;
  start.operation = making.operation;
  start.container = container;
  start.name = making.row.name;
  start.token = token_of(making);
  start.reason = "run";
  return start;
}

awaitable<void> write_pre_run(Parts& parts, const Making& making, std::string container) {
  if (!translate::has_pre_run(making.service)) co_return;
  const hooks::PreRunWish wish{making.operation, making.stack,     making.service.name,
                               making.row.name,  token_of(making), "run"};
  const auto first = co_await hooks::write_pre_run(parts.steps.hook_tools, parts.steps.hooks, wish);
  if (first) {
    const auto start = pre_run_start(making, container);
    co_await hooks::announce_pre_run(parts.steps.hook_tools, *first, start);
  }
}

// C3.5: after its start, beside its command; what fails is told, and ends nothing.
awaitable<void> hooks_after_start(Parts& parts, const Making& making, std::string container,
                                  std::vector<std::string>& warnings) {
  const auto& service = *making.stack.spec->find(making.service.name);
  try {
    for (const auto* hook : service.hooks_of(model::Phase::pre_run)) {
      const auto start = pre_run_start(making, container);
      const auto row = co_await hooks::follow_pre_run(parts.steps.hook_tools, making.stack, *hook, start);
      if (row.state == "failed" && resolve::on_failure_of(*hook) == model::OnFailure::fail) {
        warnings.push_back(row.reason);
        co_return;
      }
    }
    for (const auto* hook : service.hooks_of(model::Phase::post_start)) {
      hooks::Call call;
      call.operation = making.operation;
      call.stack = making.stack;
      call.hook = *hook;
      call.reason = "run";
      call.container = container;
      call.container_name = making.row.name;
      call.run_id = making.row.id + ".post_start" + std::to_string(hook->index);
      call = co_await hooks::placed(parts.steps.hook_tools, call);
      const auto called = co_await hooks::run(parts.steps.hook_tools, parts.steps.hooks, call);
      if (!called.result.ok) warnings.push_back(called.result.message);
      if (called.result.record) co_await parts.journal.commit(called.result.record);
      if (!called.result.ok && !called.result.warn) co_return;
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::cancelled) throw;
    warnings.push_back(error.what());
  }
}

awaitable<store::OperationRow> last_operation(Parts& parts, std::string stack) {
  auto query = [stack](store::Database& db) {
    const auto row = store::Stacks::get(db, stack);
    return row ? store::Operations::get(db, row->last_operation) : std::nullopt;
  };
  const auto found = co_await parts.journal.run(query);
  if (found) co_return *found;
  store::OperationRow none;
  none.id = "op-none";
  none.stack_id = stack;
  none.created_at = util::now_ms();
  co_return none;
}

}  // namespace

awaitable<proto::ExecResult> Manager::run(proto::RunRequest request, ExecEnds ends) {
  const auto over = overrides_of(request);
  Making making;
  making.stack = co_await prepared_stack(*this, parts_, request, ends);
  const auto& written = making.stack.service(request.service);
  making.service = translate::one_off_service(written, over);
  making.operation = co_await last_operation(parts_, making.stack.id);

  const auto digits = util::random_hex(64);
  making.row = {.id = "run-" + digits.substr(0, 12),
                .stack_id = making.stack.id,
                .service = request.service,
                .name = request.name,
                .remove = request.remove,
                .attached = !request.detach,
                .started_at = util::now_ms()};
  if (making.row.name.empty())
    making.row.name = making.stack.spec->name + "-" + request.service + "-run-" + digits.substr(0, 12);
  const translate::OneOff one_off{.name = making.row.name,
                                  .slug = digits,
                                  .run = making.row.id,
                                  .use_aliases = request.use_aliases,
                                  .remove = request.remove,
                                  .input = request.input};
  const auto image = co_await image_of(parts_, making.stack, making.service);
  translate::RequestInputs inputs{*making.stack.spec, *making.stack.facts, making.service};
  inputs.one_off = &one_off;
  inputs.image = image.reference;
  inputs.image_id = image.id;
  inputs.operation = making.row.id;
  if (!translate::services_referred_to(*making.service.container).empty())
    inputs.container_of = co_await hooks::containers_by_service(parts_.engine, making.stack.id);
  inputs.config_hash = translate::container_definition(making.stack, written, inputs.container_of);
  auto asked = translate::one_off_request(inputs, over);
  if (translate::has_pre_run(making.service)) {
    auto work = [paths = parts_.paths, id = making.stack.id, name = making.row.name](async::FileWorker&) {
      return hooks::make_pre_run_directory(paths, id, name);
    };
    const auto directory = co_await parts_.files.run(work);
    translate::add_pre_run(asked.body, making.service, image.facts, directory.string());
  }

  const auto secrets = resolve::secret_values(*making.stack.spec, *making.stack.facts);
  const auto words = util::valid_utf8(util::join(request.command, " "));
  const auto shown = resolve::mask(words, secrets);
  co_await parts_.one_offs.begin(making.row, shown);
  UnfinishedRun unfinished{parts_.one_offs, making.row};
  const auto id = co_await make(parts_, making, asked);
  proto::ExecResult result{.container = making.row.name, .container_id = id};
  co_await write_pre_run(parts_, making, id);

  if (request.detach) {
    co_await parts_.engine.start_container(id);
    co_await hooks_after_start(parts_, making, id, result.warnings);
    unfinished.row.reset();
    co_await parts_.one_offs.over(making.row, std::nullopt, "it runs on by itself");
    co_return result;
  }
  Talk::Command command;
  command.attached = co_await parts_.engine.attach_container(id, request.tty, request.input);
  std::shared_ptr<docker::Ending> ending = co_await parts_.engine.ending_of(id, request.remove);
  co_await parts_.engine.start_container(id);
  command.exit_code = [ending] { return ending->exit_code(); };
  command.resize = [this, id](int rows, int columns) {
    return parts_.engine.resize_container(id, rows, columns);
  };
  command.signal = [this, id](std::string name) -> awaitable<void> {
    if (signal_number(name) != 0) co_await parts_.engine.kill_container(id, name);
  };
  Talk talk(std::move(command), ends);
  if (request.tty) co_await talk.resize(request.size);
  const proto::ExecStarted started{"", making.row.id, request.service, making.row.name, 0, request.tty};
  co_await ends.started(started);
  async::TaskGroup beside(parts_.executor);
  beside.spawn("hooks of " + making.row.name, [this, &making, id, &result] {
    return hooks_after_start(parts_, making, id, result.warnings);
  });
  auto talking = talk.run();
  co_await beside.during(std::move(talking));
  unfinished.row.reset();
  co_await parts_.one_offs.over(making.row, talk.exit_code(),
                                talk.detached() ? "its client let go of it" : "");
  result.exit_code = talk.exit_code();
  co_return result;
}

}  // namespace stackd::stacks
