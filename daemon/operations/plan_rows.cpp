// Planned steps as rows, checked: a plan that could never come to its end is a bug of whoever planned it, and
// is refused before anything is written.
#include <unordered_map>

#include "daemon/operations/course.hpp"

namespace stackd::operations {

namespace {

util::Error bad_plan(const std::string& key, const std::string& why) {
  return util::Error(util::ErrorKind::internal, "cannot plan step '" + key + "': " + why);
}

// Takes away what needs nothing, again and again; what is left needs itself.
void check_circles(const std::vector<StepPlan>& plans,
                   const std::unordered_map<std::string, std::size_t>& places) {
  std::vector<int> unmet(plans.size(), 0);
  std::vector<std::vector<std::size_t>> dependents(plans.size());
  std::vector<std::size_t> free;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    for (const auto& need : plans[i].needs) {
      const auto place = places.find(need);
      if (place == places.end()) continue;
      dependents[place->second].push_back(i);
      ++unmet[i];
    }
    if (unmet[i] == 0) free.push_back(i);
  }
  for (std::size_t done = 0; done < free.size(); ++done)
    for (const auto dependent : dependents[free[done]])
      if (--unmet[dependent] == 0) free.push_back(dependent);
  if (free.size() == plans.size()) return;
  for (std::size_t i = 0; i < plans.size(); ++i)
    if (unmet[i] > 0) throw bad_plan(plans[i].key, "it comes after itself");
}

}  // namespace

std::vector<store::StepRow> rows_of(const std::string& operation_id, const std::vector<StepPlan>& plans,
                                    std::size_t first, const KnownKey& known, bool all_go_on) {
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < plans.size(); ++i)
    if (known(plans[i].key) || !places.emplace(plans[i].key, i).second)
      throw bad_plan(plans[i].key, "there is one already");

  std::vector<store::StepRow> rows;
  for (const auto& plan : plans) {
    for (const auto& need : plan.needs)
      if (!known(need) && places.count(need) == 0)
        throw bad_plan(plan.key, "it needs '" + need + "', which is no step of the operation");
    rows.push_back({.operation_id = operation_id,
                    .ordinal = static_cast<int>(first + rows.size()),
                    .key = plan.key,
                    .kind = plan.kind,
                    .service = plan.service,
                    .params = dump(plan.params),
                    .needs = dump(plan.needs),
                    .on_error = plan.go_on || all_go_on ? "go_on" : "stop"});
  }
  check_circles(plans, places);
  return rows;
}

}  // namespace stackd::operations
