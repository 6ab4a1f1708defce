#include <algorithm>

#include "daemon/stacks/labels.hpp"
#include "daemon/stacks/plan.hpp"

namespace stackd::stacks {

using nlohmann::json;

void append(Keys& into, const Keys& more) {
  for (const auto& key : more)
    if (std::find(into.begin(), into.end(), key) == into.end()) into.push_back(key);
}

std::string replica(const std::string& service, int number) {
  return service + "-" + std::to_string(number);
}

std::string Graph::add(StepPlan step) {
  auto key = step.key;
  steps_.push_back(std::move(step));
  return key;
}

Keys Graph::add_hooks(const std::vector<const spec::Hook*>& hooks, const std::string& subject, Keys needs,
                      const json& params, bool go_on) {
  Keys before = needs, together;
  int group = -1;
  for (const auto* hook : hooks) {
    if ((hook->group < 0 || hook->group != group) && !together.empty())
      before = std::move(together), together.clear();
    group = hook->group;
    StepPlan step;
    step.key = (subject.empty() ? "" : subject + " ") + spec::to_string(hook->phase) + "[" +
               std::to_string(hook->index) + "]";
    step.kind = "hook";
    step.service = hook->service;
    step.params = params;
    step.params["phase"] = spec::to_string(hook->phase);
    step.params["index"] = hook->index;
    step.needs = before;
    step.go_on = go_on;
    together.push_back(add(std::move(step)));
  }
  return together.empty() ? before : together;
}

Keys add_container_end(Graph& graph, const spec::Service* service, const docker::ContainerSummary& container,
                       Keys needs, bool remove, FailingPreStop failing, const std::string& reason,
                       const std::optional<int>& timeout, bool volumes) {
  const auto service_name = label_of(container, label::k_service);
  const auto number = std::max(1, std::atoi(label_of(container, label::k_number).c_str()));
  const auto name = replica(service_name, number);
  if (service && (container.state == "running" || container.state == "paused"))
    needs = graph.add_hooks(service->hooks_of(spec::Phase::pre_stop), name, std::move(needs),
                            {{"container", container.id},
                             {"name", container.name},
                             {"reason", reason},
                             {"down", true},
                             {"warns", failing == FailingPreStop::warns}},
                            failing != FailingPreStop::forbids);
  StepPlan stop{"stop " + name,   "stop", service_name, {{"id", container.id}, {"name", container.name}},
                std::move(needs), true};
  if (timeout) stop.params["timeout"] = *timeout;
  Keys last{graph.add(std::move(stop))};
  if (remove)
    last = {graph.add({"remove " + name,
                       "remove",
                       service_name,
                       {{"id", container.id}, {"name", container.name}, {"volumes", volumes}},
                       last,
                       true})};
  return last;
}

Keys add_before_down(Graph& graph, const spec::Service& service, Keys needs, const std::string& reason) {
  return graph.add_hooks(service.hooks_of(spec::Phase::before_down), service.name, std::move(needs),
                         {{"reason", reason}, {"down", true}}, true);
}

Keys add_process_end(Graph& graph, const spec::Service& service, Keys needs, bool alive,
                     const std::string& reason) {
  if (alive) needs = add_before_down(graph, service, std::move(needs), reason);
  return {graph.add(
      {"stop " + service.name, "stop-process", service.name, json::object(), std::move(needs), true})};
}

bool is_running(const std::vector<docker::ContainerSummary>& containers) {
  return std::any_of(containers.begin(), containers.end(),
                     [](const auto& container) { return container.state == "running"; });
}

}  // namespace stackd::stacks
