#include "tests/unit/daemon/api/fake_manager.hpp"

namespace stackd::stacks {
namespace {

using util::Error;
using util::ErrorKind;

struct Counted {
  int& count;
  explicit Counted(int& c) : count(c) { ++count; }
  ~Counted() { --count; }
};

void check(const Parts& parts) {
  if (parts.refusal) throw *parts.refusal;
}

proto::Operation& find(Parts& parts, const std::string& id) {
  check(parts);
  const auto found = parts.operations.find(id);
  if (found == parts.operations.end())
    throw Error(ErrorKind::not_found, "there is no operation '" + id + "'");
  return found->second;
}

const proto::Stack& stack(Parts& parts, const std::string& id) {
  check(parts);
  for (const auto& stack : parts.stacks)
    if (stack.id == id || stack.name == id) return stack;
  throw Error(ErrorKind::not_found, "there is no stack '" + id + "'");
}

proto::Operation begin(Parts& parts, const std::string& kind, const std::string& stack) {
  parts.verb = kind;
  parts.stack = stack;
  proto::Operation operation;
  operation.id = "op-" + std::to_string(parts.operations.size() + 1);
  operation.kind = kind;
  operation.stack = stack;
  operation.state = "running";
  parts.operations[operation.id] = operation;
  parts.add_event(operation.id, "operation.started", {{"kind", kind}});
  return operation;
}

}  // namespace

void Parts::add_event(const std::string& operation, const std::string& kind, nlohmann::json data) {
  proto::Event event;
  event.sequence = events.empty() ? 1 : events.back().sequence + 1;
  event.at = "2026-08-01T09:30:00.123Z";
  event.stack = "shop-1";
  event.operation = operation;
  event.kind = kind;
  event.data = std::move(data);
  events.push_back(event);
  changed.notify();
}

void Parts::add_note(const std::string& operation, const std::string& kind, nlohmann::json data) {
  proto::Event note;
  note.operation = operation;
  note.kind = kind;
  note.data = std::move(data);
  notes.push_back(note);
  changed.notify();
}

void Parts::end_operation(const std::string& id, const std::string& state) {
  auto& operation = operations.at(id);
  operation.state = state;
  operation.steps.push_back({"plan", "plan-up", "", "done", "", "", "", 3});
  add_event(id, "operation.ended", {{"state", state}});
}

Manager::Manager(Parts& parts) : parts_(parts) {}
Manager::~Manager() = default;

awaitable<proto::Operation> Manager::up(proto::UpRequest request, std::string key) {
  check(parts_);
  parts_.key = key;
  parts_.up = std::move(request);
  co_return begin(parts_, "up", "shop-1");
}
awaitable<proto::Operation> Manager::images(proto::ImagesRequest request, std::string key) {
  check(parts_);
  parts_.key = key;
  const auto action = request.action;
  parts_.images = std::move(request);
  co_return begin(parts_, action, "shop-1");
}
awaitable<nlohmann::json> Manager::bake(proto::ImagesRequest request) {
  parts_.images = std::move(request);
  co_return nlohmann::json{{"target", nlohmann::json::object()}};
}
awaitable<proto::Operation> Manager::down(std::string id, proto::DownRequest request, std::string key) {
  parts_.key = key;
  parts_.down = std::move(request);
  co_return begin(parts_, "down", stack(parts_, id).id);
}
awaitable<proto::Operation> Manager::stop(std::string id, proto::ServicesRequest request, std::string key) {
  parts_.key = key;
  parts_.services = std::move(request);
  co_return begin(parts_, "stop", stack(parts_, id).id);
}
awaitable<proto::Operation> Manager::start(std::string id, proto::ServicesRequest request, std::string key) {
  parts_.key = key;
  parts_.services = std::move(request);
  co_return begin(parts_, "start", stack(parts_, id).id);
}
awaitable<proto::Operation> Manager::restart(std::string id, proto::ServicesRequest request,
                                             std::string key) {
  parts_.key = key;
  parts_.services = std::move(request);
  co_return begin(parts_, "restart", stack(parts_, id).id);
}
awaitable<proto::Operation> Manager::roll_back(std::string id, std::string key) {
  parts_.key = std::move(key);
  co_return begin(parts_, "rollback", stack(parts_, id).id);
}
awaitable<std::vector<std::string>> Manager::prune(bool) {
  parts_.verb = "prune";
  co_return std::vector<std::string>{"stackd-hooks:0123456789abcdef"};
}

awaitable<proto::Operation> Manager::run_hooks(std::string id, proto::HooksRunRequest request,
                                               std::string key) {
  const auto& found = stack(parts_, id);
  parts_.key = std::move(key);
  parts_.services.services = std::move(request.hooks);
  co_return begin(parts_, "hooks", found.id);
}

awaitable<int> Manager::reset_hooks(std::string id, std::string phase) {
  parts_.stack = stack(parts_, id).id;
  parts_.verb = "reset " + phase;
  co_return 2;
}

awaitable<void> Manager::forget(std::string id) {
  parts_.stack = stack(parts_, id).id;
  parts_.verb = "forget";
  co_return;
}
awaitable<proto::Operation> Manager::cancel(std::string id) {
  auto& operation = find(parts_, id);
  parts_.verb = "cancel";
  if (operation.state == "running") parts_.end_operation(id, "cancelled");
  co_return operation;
}
awaitable<proto::Operation> Manager::wait(std::string id) {
  const Counted counted(parts_.waiting);
  while (find(parts_, id).state == "running") co_await parts_.changed.wait();
  co_return find(parts_, id);
}
awaitable<proto::Plan> Manager::plan(proto::PlanRequest request) {
  check(parts_);
  parts_.plan = std::move(request);
  proto::Plan plan;
  plan.stack = "shop-1";
  plan.kind = parts_.plan.up ? "up" : "down";
  plan.to_do = true;
  plan.actions.push_back({"recreate",
                          "db",
                          "db",
                          "healthcheck.test changed",
                          {{"healthcheck.test", "[]", "[\"CMD\",\"true\"]"}},
                          {"api"}});
  plan.steps = {"create db-1"};
  co_return plan;
}

awaitable<proto::Validation> Manager::validate(proto::UpRequest request) {
  check(parts_);
  parts_.up = std::move(request);
  proto::Validation validation;
  validation.valid = false;
  validation.errors = {{"stackd.yaml", 1, 1, 2, "error", "no services", ""}};
  co_return validation;
}
awaitable<proto::Config> Manager::config(proto::UpRequest request) {
  check(parts_);
  parts_.up = std::move(request);
  proto::Config config;
  config.name = "shop";
  config.model = {{"name", "shop"}, {"services", nlohmann::json::object()}};
  co_return config;
}
awaitable<proto::Graph> Manager::graph(proto::UpRequest request) {
  check(parts_);
  parts_.up = std::move(request);
  proto::Graph graph;
  graph.name = "shop";
  graph.services.push_back({"db", "container", {}});
  co_return graph;
}

namespace {
StackViewPtr shown(const proto::Stack& stack) {
  return std::make_shared<StackView>(StackView{"tag-of-" + stack.id, stack, nlohmann::json(stack).dump()});
}
}  // namespace
awaitable<std::vector<StackViewPtr>> Manager::list(std::string directory) {
  check(parts_);
  std::vector<StackViewPtr> views;
  for (const auto& stack : parts_.stacks)
    if (directory.empty() || stack.directory == directory) views.push_back(shown(stack));
  co_return views;
}
awaitable<StackViewPtr> Manager::view(std::string id) {
  co_return shown(stack(parts_, id));
}
awaitable<proto::Waited> Manager::wait_for(std::string id, proto::WaitRequest request) {
  proto::Waited waited{stack(parts_, id).id, request.wanted, false, {}};
  for (const auto& service : request.services)
    waited.blocking.push_back({service, "starting", "", "", "healthcheck"});
  co_return waited;
}
awaitable<proto::Stack> Manager::get(std::string id) {
  co_return stack(parts_, id);
}
awaitable<proto::Top> Manager::top(std::string id) {
  const auto found = stack(parts_, id);
  co_return proto::Top{.id = found.id, .name = found.name, .status = found.status};
}
awaitable<std::vector<proto::Operation>> Manager::operations(std::string id, int limit) {
  check(parts_);
  if (!id.empty()) stack(parts_, id);
  parts_.stack = id;
  parts_.limit = limit;
  std::vector<proto::Operation> operations;
  for (const auto& [key, operation] : parts_.operations) operations.insert(operations.begin(), operation);
  co_return operations;
}
awaitable<proto::Operation> Manager::operation(std::string id) {
  co_return find(parts_, id);
}
awaitable<std::vector<proto::HookRun>> Manager::hooks(std::string id, int limit) {
  stack(parts_, id);
  parts_.limit = limit;
  co_return parts_.hooks;
}
awaitable<proto::HookRun> Manager::hook_run(std::string id) {
  check(parts_);
  for (const auto& run : parts_.hooks)
    if (run.id == id) co_return run;
  throw Error(ErrorKind::not_found, "there is no hook run '" + id + "'");
}
awaitable<std::map<std::string, std::string>> Manager::environment(std::string id, std::string group,
                                                                   bool secrets) {
  stack(parts_, id);
  parts_.group = group;
  parts_.secrets = secrets;
  co_return parts_.environment;
}

awaitable<std::vector<proto::Command>> Manager::commands(proto::UpRequest request) {
  check(parts_);
  parts_.up = std::move(request);
  co_return std::vector<proto::Command>{{"seed", "", "./seed", "/srv/shop", "stack"}};
}
awaitable<proto::Surroundings> Manager::surroundings(proto::UpRequest request, CommandOf what) {
  check(parts_);
  parts_.up = std::move(request);
  parts_.verb = what.command;
  parts_.group = what.group;
  co_return proto::Surroundings{"shop-1", what.command, "/srv/shop", what.command.empty() ? "" : "./seed",
                                parts_.environment};
}

awaitable<std::vector<proto::ContainerRow>> Manager::containers(std::string id) {
  stack(parts_, id);
  co_return std::vector<proto::ContainerRow>(1);
}
awaitable<std::vector<proto::VolumeView>> Manager::volumes(std::string id) {
  stack(parts_, id);
  co_return std::vector<proto::VolumeView>{{"shop_data", "local", ""}};
}
awaitable<proto::ContainersDone> Manager::kill(std::string id, proto::ContainersRequest request) {
  parts_.verb = "kill " + request.signal;
  stack(parts_, id);
  co_return proto::ContainersDone{{"shop-db-1"}, {}};
}
awaitable<proto::ContainersDone> Manager::pause(std::string id, proto::ContainersRequest) {
  parts_.verb = "pause";
  stack(parts_, id);
  co_return proto::ContainersDone{};
}
awaitable<proto::ContainersDone> Manager::unpause(std::string id, proto::ContainersRequest) {
  parts_.verb = "unpause";
  stack(parts_, id);
  co_return proto::ContainersDone{};
}
awaitable<proto::ContainersDone> Manager::remove(std::string id, proto::ContainersRequest) {
  parts_.verb = "rm";
  stack(parts_, id);
  co_return proto::ContainersDone{};
}

// Echoes its input, and ends with it; without one it says what was asked.
awaitable<proto::ExecResult> Manager::exec(std::string id, proto::ExecRequest request, ExecEnds ends) {
  stack(parts_, id);
  const Counted counted(parts_.streaming);
  parts_.exec = request;
  const proto::ExecStarted started{"e1", "exec-1", request.service, "shop-" + request.service + "-1", 1};
  co_await ends.started(started);
  if (!request.input) co_await ends.output(false, request.service);
  while (request.input) {
    const auto input = co_await ends.input();
    if (input.kind == ExecInput::Kind::gone) throw Error(ErrorKind::cancelled, "gone");
    if (input.kind == ExecInput::Kind::detach) co_return proto::ExecResult{.exec = "e1"};
    if (input.kind == ExecInput::Kind::end) break;
    if (input.kind == ExecInput::Kind::resize) {
      parts_.exec.size = input.size;
      continue;
    }
    if (input.kind == ExecInput::Kind::data && input.data == "fail")
      throw Error(ErrorKind::engine, "it broke");
    co_await ends.output(input.data.starts_with("!"), input.data);
  }
  co_return proto::ExecResult{.exec = "e1", .exit_code = 7};
}

awaitable<std::vector<proto::ImageRow>> Manager::container_images(std::string id) {
  stack(parts_, id);
  co_return std::vector<proto::ImageRow>{};
}

awaitable<proto::Stats> Manager::stats(std::string id, std::vector<std::string>, bool) {
  stack(parts_, id);
  co_return proto::Stats{};
}

awaitable<void> Manager::container_events(std::string, std::vector<std::string>, std::string, std::string,
                                          ContainerEventSink sink) {
  co_await sink(proto::ContainerEvent{.action = "start"});
}

awaitable<proto::ExecResult> Manager::attach(std::string id, proto::AttachRequest request, ExecEnds ends) {
  stack(parts_, id);
  co_await ends.output(false, request.service);
  co_return proto::ExecResult{.exit_code = 0};
}

awaitable<proto::PathStat> Manager::path_stat(std::string id, ContainerPath what) {
  stack(parts_, id);
  co_return proto::PathStat{.container = what.container, .name = what.path};
}

awaitable<void> Manager::read_archive(std::string id, ContainerPath what,
                                      std::function<void(proto::PathStat)> begin,
                                      std::function<awaitable<void>(std::string_view)> sink) {
  stack(parts_, id);
  begin({.container = what.container, .name = what.path});
  co_await sink("tar");
}

awaitable<void> Manager::write_archive(std::string id, ContainerPath, bool, bool,
                                       std::function<awaitable<std::string>()> tar) {
  stack(parts_, id);
  parts_.written = 0;
  for (auto piece = co_await tar(); !piece.empty(); piece = co_await tar()) parts_.written += piece.size();
}

awaitable<proto::ExecResult> Manager::run(proto::RunRequest request, ExecEnds ends) {
  parts_.run = request;
  if (ends.preparing) co_await ends.preparing(proto::Operation{.id = "op-1"});
  const proto::ExecStarted started{"", "run-1", request.service, "shop-" + request.service + "-run-1", 0};
  co_await ends.started(started);
  co_await ends.output(false, request.service);
  co_return proto::ExecResult{.container = started.container, .exit_code = 3};
}

awaitable<void> Manager::logs(std::string id, proto::LogsRequest request, LogSink sink) {
  const Counted counted(parts_.streaming);
  stack(parts_, id);
  parts_.logs = request;
  std::size_t next = 0;
  for (;;) {
    while (next < parts_.lines.size()) {
      auto line = parts_.lines[next++];
      co_await sink(std::move(line));
    }
    if (!request.follow) co_return;
    co_await parts_.changed.wait();
  }
}

awaitable<void> Manager::hook_log(std::string id, std::uint64_t from, bool follow, TextSink sink) {
  const Counted counted(parts_.streaming);
  std::uint64_t place = 0;
  for (std::size_t next = 0;;) {
    while (next < parts_.log.size()) {
      auto piece = parts_.log[next++];
      const auto begin = place;
      place += piece.size();
      if (place > from) co_await sink(std::max(begin, from), piece.substr(std::max(begin, from) - begin));
    }
    const auto run = co_await hook_run(id);
    if (!follow || run.state != "running") co_return;
    co_await parts_.changed.wait();
  }
}

awaitable<void> Manager::events(std::int64_t sequence, std::string, std::string operation, EventSink sink) {
  const Counted counted(parts_.streaming);
  check(parts_);
  if (sequence < 0) sequence = parts_.events.empty() ? 0 : parts_.events.back().sequence;
  std::size_t note = parts_.notes.size();
  for (;;) {
    for (std::size_t i = 0; i < parts_.events.size(); ++i) {
      auto event = parts_.events[i];
      if (event.sequence <= sequence || (!operation.empty() && event.operation != operation)) continue;
      sequence = event.sequence;
      const bool last = !operation.empty() && event.kind == "operation.ended";
      co_await sink(std::move(event));
      if (last) co_return;
    }
    while (note < parts_.notes.size()) {
      auto passing = parts_.notes[note++];
      co_await sink(std::move(passing));
    }
    if (parts_.events.empty() || parts_.events.back().sequence <= sequence || !operation.empty())
      co_await parts_.changed.wait();
  }
}

awaitable<proto::Info> Manager::info() {
  check(parts_);
  co_return parts_.info;
}

}  // namespace stackd::stacks
