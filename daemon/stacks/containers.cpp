#include "daemon/stacks/containers.hpp"

#include <signal.h>

#include <algorithm>

#include "daemon/stacks/lookup.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"

namespace stackd::stacks {

namespace label = translate::label;
using translate::label_of;
using util::Error;
using util::ErrorKind;

awaitable<void> until_quiet(Parts& parts, std::string stack) {
  for (;;) {
    const auto running = parts.runner.active(stack);
    if (!running) co_return;
    co_await parts.runner.wait(running->id);
  }
}

awaitable<std::vector<docker::ContainerSummary>> containers_of(Parts& parts, model::Stack stack,
                                                               std::string service) {
  check_service(stack, service);
  if (!stack.spec->find(service)->container)
    throw Error(ErrorKind::invalid_request, "service '" + service + "' of stack '" + stack.id +
                                                "' has no containers: it runs on this host");
  const docker::Filters filters{{"label", std::string(label::k_stack) + "=" + stack.id}};
  auto found = co_await parts.engine.list_containers(filters);
  std::erase_if(found, [&](const docker::ContainerSummary& container) {
    return label_of(container, label::k_service) != service || !label_of(container, label::k_hook).empty() ||
           label_of(container, label::k_oneoff) == "True" || translate::is_kept(container.id, container.name);
  });
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return translate::number_of(a.labels) < translate::number_of(b.labels);
  });
  co_return found;
}

awaitable<docker::ContainerSummary> running_container(Parts& parts, model::Stack stack, std::string service,
                                                      int index) {
  auto containers = co_await containers_of(parts, stack, service);
  for (auto& container : containers)
    if (container.state == "running" && (index == 0 || translate::number_of(container.labels) == index))
      co_return std::move(container);
  std::string why = "it has no container";
  for (const auto& container : containers) {
    if (index != 0 && translate::number_of(container.labels) != index) continue;
    why = "container " + container.name + " is " + container.state;
    break;
  }
  if (index != 0 && !containers.empty() && why == "it has no container")
    why = "it has no container number " + std::to_string(index);
  throw Error(ErrorKind::failed, "service \"" + service + "\" is not running: " + why);
}

int signal_number(const std::string& text) {
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos && text.size() < 3)
    return std::stoi(text);
  std::string name = text;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
  if (name.starts_with("SIG")) name.erase(0, 3);
  for (int number = 1; number < NSIG; ++number)
    if (const char* known = ::sigabbrev_np(number); known && name == known) return number;
  return 0;
}

}  // namespace stackd::stacks
