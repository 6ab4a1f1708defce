// Files of containers. The engine knows what a path is; here it is found which container is meant.
#include <nlohmann/json.hpp>

#include "daemon/dotdocker/base64.hpp"
#include "daemon/stacks/containers.hpp"
#include "daemon/stacks/lookup.hpp"
#include "daemon/stacks/manager.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"

namespace stackd::stacks {
namespace {

using util::Error;
using util::ErrorKind;

// Of the stack, and no hook's.
awaitable<docker::ContainerSummary> named_container(Parts& parts, std::string stack, std::string name) {
  const docker::Filters filters{{"label", std::string(translate::label::k_stack) + "=" + stack}};
  const auto all = co_await parts.engine.list_containers(filters);
  for (const auto& container : all) {
    const bool hooks = !translate::label_of(container, translate::label::k_hook).empty();
    if (!hooks && (container.name == name || container.id == name)) co_return container;
  }
  throw Error(ErrorKind::not_found, "stack '" + stack + "' has no container '" + name + "'");
}

awaitable<docker::ContainerSummary> container_of(Parts& parts, std::string stack, ContainerPath what) {
  if (!what.container.empty()) co_return co_await named_container(parts, stack, what.container);
  const auto model = co_await parts.models.get(stack);
  const auto containers = co_await containers_of(parts, model, what.service);
  for (const auto& container : containers)
    if (what.index == 0 || translate::number_of(container.labels) == what.index) co_return container;
  throw Error(ErrorKind::not_found, "service '" + what.service + "' has no container" +
                                        (what.index ? " number " + std::to_string(what.index) : ""));
}

// The engine's words for a path: Go's mode has a directory at bit 31, a link at 27, other kinds between.
proto::PathStat stat_of(const docker::ContainerSummary& container, const std::string& encoded) {
  constexpr std::uint32_t k_directory = 1U << 31, k_link = 1U << 27, k_others = 0x07080000U;
  const auto text = dotdocker::from_base64(encoded);
  const auto json = nlohmann::json::parse(text.value_or(""), nullptr, false);
  if (!json.is_object()) throw Error(ErrorKind::engine, "the engine does not say what the path is");
  const auto mode = json.value("mode", std::uint32_t{0});
  proto::PathStat stat{.container = container.name, .name = json.value("name", "")};
  stat.kind = mode & k_directory ? "directory" : mode & k_link ? "link" : mode & k_others ? "other" : "file";
  stat.size = json.value("size", std::int64_t{0});
  stat.link_target = json.value("linkTarget", "");
  return stat;
}

}  // namespace

awaitable<proto::PathStat> Manager::path_stat(std::string stack, ContainerPath what) {
  const auto row = co_await find_stack(parts_, stack);
  const auto container = co_await container_of(parts_, row.id, what);
  const auto encoded = co_await parts_.engine.path_stat(container.id, what.path);
  co_return stat_of(container, encoded);
}

awaitable<void> Manager::read_archive(std::string stack, ContainerPath what,
                                      std::function<void(proto::PathStat)> begin,
                                      std::function<awaitable<void>(std::string_view)> sink) {
  const auto row = co_await find_stack(parts_, stack);
  const auto container = co_await container_of(parts_, row.id, what);
  const auto told = [&](const std::string& encoded) { begin(stat_of(container, encoded)); };
  co_await parts_.engine.get_archive(container.id, what.path, told, std::move(sink));
}

awaitable<void> Manager::write_archive(std::string stack, ContainerPath where, bool owners, bool no_wait,
                                       std::function<awaitable<std::string>()> tar) {
  const auto row = co_await find_stack(parts_, stack);
  if (!no_wait) co_await until_quiet(parts_, row.id);
  const auto container = co_await container_of(parts_, row.id, where);
  co_await parts_.engine.put_archive(container.id, where.path, owners, std::move(tar));
}

}  // namespace stackd::stacks
