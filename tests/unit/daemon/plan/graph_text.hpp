// A planned graph as text, one step a line with those that it waits for:
//
//   create web-1 <- image web, start db-1
//   start web-1 <- create web-1
//
// Of what a step waits for only the last is shown: not the image, when it waits for the create that waited
// for it. In brackets stands what its parameters say beyond the usual. Steps that a view leaves out are
// passed over: those behind them wait for what they waited for.
#pragma once

#include <algorithm>
#include <map>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "daemon/plan/step_kinds.hpp"

namespace stackd::test {

using Steps = std::vector<operations::StepPlan>;

// Who must have ended before whom. Of what is no step nothing is known.
class Ancestors {
public:
  explicit Ancestors(const Steps& steps) : steps_(steps), rows_(steps.size()) {
    for (std::size_t i = 0; i < steps.size(); ++i) places_.emplace(steps[i].key, i);
    for (std::size_t i = 0; i < steps.size(); ++i) row(i);
  }
  bool before(const std::string& first, const std::string& second) const {
    const auto from = places_.find(first), to = places_.find(second);
    return from != places_.end() && to != places_.end() && rows_[to->second][from->second];
  }

private:
  const std::vector<bool>& row(std::size_t i) {
    auto& row = rows_[i];
    if (!row.empty()) return row;
    row.resize(steps_.size());  // found empty by a circle, which ends here and is told by others
    for (const auto& need : steps_[i].needs) {
      const auto place = places_.find(need);
      if (place == places_.end()) continue;
      const auto& further = this->row(place->second);
      for (std::size_t j = 0; j < further.size(); ++j)
        if (further[j] || j == place->second) row[j] = true;
    }
    return row;
  }

  const Steps& steps_;
  std::map<std::string, std::size_t> places_;
  std::vector<std::vector<bool>> rows_;
};

template <class Kind>
bool is(const operations::StepPlan& step) {
  return step.kind == Kind::k_kind;
}
template <class Kind>
Kind params_of(const operations::StepPlan& step) {
  return model::decoded<Kind>(step.params, "params of a step");
}

// What the parameters of a step say beyond the usual; `reason` is the usual one.
inline std::vector<std::string> marks_of(const operations::StepPlan& step, const std::string& reason) {
  std::vector<std::string> marks;
  const auto mark = [&](bool holds, const std::string& text) {
    if (holds) marks.push_back(text);
  };
  if (is<plan::Hook>(step)) {
    const auto hook = params_of<plan::Hook>(step);
    mark(hook.reason != reason, hook.reason);
    mark(hook.phase == model::Phase::pre_stop && hook.warns, "warns");
    mark(hook.phase == model::Phase::pre_stop && !step.go_on, "forbids");
  } else if (is<plan::Create>(step)) {
    const auto create = params_of<plan::Create>(step);
    mark(!create.existing.empty(), create.existing);
    mark(create.force, "anew");
    mark(create.as_is, "as it is");
    mark(create.restarted, "restarted");
    for (const auto& other : create.restarts_with) mark(true, "with " + other);
  } else if (is<plan::Start>(step)) {
    mark(params_of<plan::Start>(step).reason != reason, params_of<plan::Start>(step).reason);
  } else if (is<plan::Stop>(step)) {
    if (const auto timeout = params_of<plan::Stop>(step).timeout) mark(true, std::to_string(*timeout) + " s");
  } else if (is<plan::Remove>(step)) {
    mark(params_of<plan::Remove>(step).volumes, "volumes");
  } else if (is<plan::Image>(step)) {
    const auto image = params_of<plan::Image>(step);
    mark(image.build, "build");
    mark(image.rebuild, "rebuild");
    mark(!image.pull.empty(), "pull " + image.pull);
    mark(image.only_pull, "only pull");
  } else if (is<plan::Derive>(step)) {
    mark(params_of<plan::Derive>(step).rebuild, "rebuild");
  } else if (is<plan::StartProcess>(step)) {
    mark(params_of<plan::StartProcess>(step).force, "anew");
  } else if (is<plan::Ready>(step)) {
    mark(params_of<plan::Ready>(step).awaited_healthy, "healthy");
    mark(params_of<plan::Ready>(step).optional, "optional");
  } else if (is<plan::ReadyProcess>(step)) {
    mark(params_of<plan::ReadyProcess>(step).optional, "optional");
  } else if (is<plan::Completed>(step)) {
    mark(params_of<plan::Completed>(step).optional, "optional");
  } else if (is<plan::Settle>(step)) {
    const auto settle = params_of<plan::Settle>(step);
    for (const auto& container : settle.containers) mark(true, container.start_step);
    for (const auto& process : settle.processes) mark(true, "process " + process);
  } else if (is<plan::RemoveNetworks>(step)) {
    mark(!params_of<plan::RemoveNetworks>(step).operation.empty(), "of this operation");
  } else if (is<plan::RemoveImages>(step)) {
    mark(true, params_of<plan::RemoveImages>(step).rmi);
  } else if (is<plan::FinishUp>(step)) {
    mark(params_of<plan::FinishUp>(step).recover, "recover");
  } else if (is<plan::FinishDown>(step)) {
    mark(params_of<plan::FinishDown>(step).whole, "whole");
    mark(params_of<plan::FinishDown>(step).rollback, "rollback");
  }
  return marks;
}

// Lines of a graph. Equal to another when it has the same lines, in whatever order they and their needs
// stand.
struct GraphText {
  std::vector<std::string> lines;

  static std::string line(const std::string& step, std::vector<std::string> needs) {
    std::sort(needs.begin(), needs.end());
    std::string text = step;
    for (std::size_t i = 0; i < needs.size(); ++i) text += (i == 0 ? " <- " : ", ") + needs[i];
    return text;
  }
  // As a test writes it: a line each, indented as it likes.
  static GraphText read(const std::string& text) {
    const auto trimmed = [](const std::string& piece) {
      const auto from = piece.find_first_not_of(" \n"), to = piece.find_last_not_of(" \n");
      return from == std::string::npos ? std::string() : piece.substr(from, to - from + 1);
    };
    GraphText graph;
    std::istringstream in(text);
    for (std::string each; std::getline(in, each);) {
      const auto arrow = each.find("<-");
      const auto step = trimmed(each.substr(0, arrow));
      if (step.empty()) continue;
      std::vector<std::string> needs;
      std::istringstream rest(arrow == std::string::npos ? "" : each.substr(arrow + 2));
      for (std::string need; std::getline(rest, need, ',');) needs.push_back(trimmed(need));
      graph.lines.push_back(line(step, needs));
    }
    return graph;
  }
  bool operator==(const std::string& text) const {
    auto mine = lines, others = read(text).lines;
    std::sort(mine.begin(), mine.end());
    std::sort(others.begin(), others.end());
    return mine == others;
  }
  friend std::ostream& operator<<(std::ostream& out, const GraphText& graph) {
    for (const auto& line : graph.lines) out << "\n  " << line;
    return out;
  }
};

template <class Shown>
GraphText text_of(const Steps& steps, const std::string& reason, Shown shown) {
  const Ancestors ancestors(steps);
  GraphText text;
  for (const auto& step : steps) {
    if (!shown(step)) continue;
    std::vector<std::string> before, last;
    for (const auto& other : steps)
      if (shown(other) && ancestors.before(other.key, step.key)) before.push_back(other.key);
    std::copy_if(before.begin(), before.end(), std::back_inserter(last), [&](const auto& key) {
      return std::none_of(before.begin(), before.end(),
                          [&](const auto& later) { return ancestors.before(key, later); });
    });
    auto head = step.key;
    const auto marks = marks_of(step, reason);
    for (std::size_t i = 0; i < marks.size(); ++i) head += (i == 0 ? " [" : "; ") + marks[i];
    text.lines.push_back(GraphText::line(head + (marks.empty() ? "" : "]"), last));
  }
  return text;
}

}  // namespace stackd::test
