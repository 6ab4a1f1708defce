#include "daemon/steps/common/save_log.hpp"

#include <spdlog/spdlog.h>

#include "daemon/logs/saved_log.hpp"
#include "daemon/resolve/environment.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"

namespace stackd::steps {
namespace {

namespace label = translate::label;
using util::Error;
using util::ErrorKind;

awaitable<void> save(Tools& tools, std::string stack_id, docker::ContainerDetails container) {
  const auto stack = co_await tools.models.get(stack_id);
  logs::ToSave what;
  what.stack = tools.paths.stack(stack_id);
  what.service = translate::label_of(container.labels, label::k_service);
  what.number = translate::number_of(container.labels);
  what.id = container.id;
  what.tty = container.tty;
  what.limit = tools.saved_log_size;
  what.secrets = resolve::secret_values(*stack.spec, *stack.facts);
  if (!what.service.empty()) co_await logs::save_log(tools.engine, tools.files, std::move(what));
}

}  // namespace

awaitable<void> save_and_remove(Tools& tools, std::string stack, std::string container, bool force,
                                bool volumes) {
  const auto there = co_await tools.engine.inspect_container(container);
  // A hook's own has its log among the hooks', and one that never ran has none.
  const bool wrote = there && translate::label_of(there->labels, label::k_hook).empty() &&
                     !there->started_at.starts_with("0001-");
  if (wrote) {
    try {
      co_await save(tools, stack, *there);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::no_engine || e.kind() == ErrorKind::cancelled) throw;
      spdlog::warn("the log of container {} is not saved: {}", there->name, e.what());
    }
  }
  co_await tools.engine.remove_container(container, force, volumes);
}

}  // namespace stackd::steps
