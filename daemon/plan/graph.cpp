#include "daemon/plan/graph.hpp"

#include <algorithm>
#include <map>

namespace stackd::plan {

void append(Keys& into, const Keys& more) {
  for (const auto& key : more)
    if (std::find(into.begin(), into.end(), key) == into.end()) into.push_back(key);
}

std::string replica(const std::string& service, int number) {
  return service + "-" + std::to_string(number);
}

std::string Graph::free_key(std::string key, const std::string& service) {
  while (!keys_.insert(key).second) key += " of " + service;
  return key;
}

Keys Graph::add_hooks(const std::vector<const model::Hook*>& hooks, const std::string& subject, Keys needs,
                      Hook like, bool go_on) {
  Keys before = std::move(needs), together;
  int group = -1;
  for (const auto* hook : hooks) {
    if ((hook->group < 0 || hook->group != group) && !together.empty())
      before = std::move(together), together.clear();
    group = hook->group;
    like.phase = hook->phase;
    like.index = hook->index;
    together.push_back(add((subject.empty() ? "" : subject + " ") + model::to_string(hook->phase) + "[" +
                               std::to_string(hook->index) + "]",
                           hook->service, like, before, go_on));
  }
  return together.empty() ? before : together;
}

namespace {

// Whether a param names other steps, by the convention of step_kinds.hpp.
bool names_steps(const std::string& param) {
  return param.ends_with("_step") || param.ends_with("_steps") || param == "gate" || param == "started_by" ||
         param == "restarts_with";
}

void rename_in(nlohmann::json& value, const std::map<std::string, std::string>& renamed) {
  if (value.is_string()) {
    if (const auto other = renamed.find(value.get<std::string>()); other != renamed.end())
      value = other->second;
  } else if (value.is_array()) {
    for (auto& each : value) rename_in(each, renamed);
  }
}

void rename_in_params(nlohmann::json& params, const std::map<std::string, std::string>& renamed) {
  if (params.is_array())
    for (auto& each : params) rename_in_params(each, renamed);
  if (!params.is_object()) return;
  for (auto& [name, value] : params.items()) {
    if (names_steps(name))
      rename_in(value, renamed);
    else
      rename_in_params(value, renamed);
  }
}

}  // namespace

void name_apart(const std::set<std::string>& taken, std::vector<operations::StepPlan>& steps) {
  auto all = taken;
  for (const auto& step : steps) all.insert(step.key);
  std::map<std::string, std::string> renamed;
  for (auto& step : steps) {
    if (!taken.contains(step.key)) continue;
    auto& key = renamed[step.key] = step.key;
    while (!all.insert(key).second) key += " again";
    step.key = key;
  }
  for (auto& step : steps)
    for (auto& need : step.needs)
      if (const auto other = renamed.find(need); other != renamed.end()) need = other->second;
  for (auto& step : steps) rename_in_params(step.params, renamed);
}

Keys add_container_end(Graph& graph, const model::Service* service, const Container& container, Keys needs,
                       const ContainerEnd& end) {
  const auto name = replica(container.service, container.number);
  if (service && (container.state == "running" || container.state == "paused")) {
    Hook like;
    like.container = container.id;
    like.name = container.name;
    like.reason = end.reason;
    like.warns = end.failing == FailingPreStop::warns;
    needs = graph.add_hooks(service->hooks_of(model::Phase::pre_stop), name, std::move(needs), like,
                            end.failing != FailingPreStop::forbids);
  }
  const Stop stop{container.id, container.name, end.timeout, end.keeps, end.keeps && end.remove};
  Keys last{graph.add("stop " + name, container.service, stop, std::move(needs), true)};
  if (end.remove && !end.keeps) {
    const Remove remove{container.id, container.name, end.volumes};
    last = {graph.add("remove " + name, container.service, remove, last, true)};
  }
  return last;
}

Keys add_before_down(Graph& graph, const model::Service& service, Keys needs, const std::string& reason,
                     bool gone) {
  Hook like;
  like.reason = reason;
  like.gone = gone;
  return graph.add_hooks(service.hooks_of(model::Phase::before_down), service.name, std::move(needs), like,
                         true);
}

Keys add_process_end(Graph& graph, const model::Service& service, Keys needs, bool alive,
                     const std::string& reason, bool gone) {
  if (alive) needs = add_before_down(graph, service, std::move(needs), reason, gone);
  return {graph.add("stop " + service.name, service.name, StopProcess{}, std::move(needs), true)};
}

}  // namespace stackd::plan
