// A command in a service's container, with whoever asked for it at its ends.
#include "daemon/resolve/environment.hpp"
#include "daemon/stacks/attended/execs.hpp"
#include "daemon/stacks/containers.hpp"
#include "daemon/stacks/lookup.hpp"
#include "daemon/stacks/manager.hpp"
#include "daemon/stacks/talk.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/ids.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stacks {
namespace {

using util::Error;
using util::ErrorKind;

docker::ExecConfig config_of(const proto::ExecRequest& request, const std::string& id) {
  docker::ExecConfig config;
  config.argv = request.command;
  config.env = request.environment;
  config.env.push_back(Execs::mark_of(id));
  config.user = request.user;
  config.working_dir = request.working_dir;
  config.privileged = request.privileged;
  config.tty = request.tty;
  config.input = request.input;
  return config;
}

void check(const proto::ExecRequest& request) {
  if (request.command.empty() || request.command.front().empty())
    throw Error(ErrorKind::invalid_request, "cannot run a command in a container: 'command' is empty");
  for (const auto& variable : request.environment)
    if (variable.find('=') == std::string::npos || variable.front() == '=')
      throw Error(ErrorKind::invalid_request, "cannot run a command in a container: '" + variable +
                                                  "' of its environment is not NAME=VALUE");
}

// One that nobody waited for to its end is ended.
struct Unfinished {
  Execs& execs;
  std::optional<store::ExecRow> row;
  ~Unfinished() {
    if (row) execs.end(std::move(*row));
  }
};

}  // namespace

awaitable<proto::ExecResult> Manager::exec(std::string name, proto::ExecRequest request, ExecEnds ends) {
  check(request);
  const auto row = co_await find_stack(parts_, name);
  if (!request.no_wait) co_await until_quiet(parts_, row.id);
  const auto stack = co_await parts_.models.fresh(row.id);
  const auto container = co_await running_container(parts_, stack, request.service, request.index);
  store::ExecRow record{.id = "exec-" + util::random_hex(12),
                        .stack_id = row.id,
                        .service = request.service,
                        .container = container.id,
                        .exec = "",
                        .command = util::join(request.command, " "),
                        .started_at = util::now_ms()};
  record.command =
      resolve::mask(util::valid_utf8(record.command), resolve::secret_values(*stack.spec, *stack.facts));
  const auto config = config_of(request, record.id);
  record.exec = co_await parts_.engine.create_exec(container.id, config);
  proto::ExecResult result{.exec = record.exec};
  co_await parts_.execs.begin(record);
  Unfinished unfinished{parts_.execs, record};
  const proto::ExecStarted started{
      record.exec, record.id, request.service, container.name, translate::number_of(container.labels),
      request.tty};
  if (request.detach) {
    co_await parts_.engine.start_exec_detached(record.exec, request.tty);
    unfinished.row.reset();
    co_await parts_.execs.over(record, std::nullopt, "it runs on by itself");
    co_return result;
  }
  Talk::Command command;
  command.attached = co_await parts_.engine.start_exec(record.exec, request.tty);
  command.exit_code = [this, id = record.exec] { return parts_.engine.exec_exit_code(id); };
  command.resize = [this, id = record.exec](int rows, int columns) {
    return parts_.engine.resize_exec(id, rows, columns);
  };
  Talk talk(std::move(command), ends);
  if (request.tty) co_await talk.resize(request.size);
  co_await ends.started(started);
  co_await talk.run();
  unfinished.row.reset();
  co_await parts_.execs.over(record, talk.exit_code(), talk.detached() ? "its client let go of it" : "");
  result.exit_code = talk.exit_code();
  co_return result;
}

}  // namespace stackd::stacks
