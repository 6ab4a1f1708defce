// Why a thing is made, made anew, started or left: the words of explain.hpp. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/model/stack.hpp"
#include "daemon/plan/differences.hpp"
#include "daemon/plan/snapshot.hpp"
#include "daemon/plan/up_graph.hpp"

namespace stackd::plan {

// What becomes of one replica, or of a process.
struct Verdict {
  enum class What { leave, create, recreate, start, restart };
  What what = What::leave;
  std::string reason;
  std::vector<Change> changes;
};

class Reasons {
public:
  // References only.
  Reasons(const model::Stack& now, const model::Stack* before, const UpChoice& choice, const Snapshot& seen)
      : now_(now), before_(before), choice_(choice), seen_(seen) {}

  Verdict of_replica(const model::Service& service, int number) const;
  Verdict of_process(const model::Service& service) const;
  // What is another in a network's definition.
  std::vector<Change> of_network(const std::string& key) const;

private:
  std::string why_recreated(const model::Service& service) const;
  std::string why_stopped(const model::Service& service) const;
  std::string why_due(const model::Service& service) const;
  std::vector<Change> changes_of(const model::Service& service, const std::string& definition) const;

  const model::Stack& now_;
  const model::Stack* before_;
  const UpChoice& choice_;
  const Snapshot& seen_;
};

// "its definition is another one: image, environment.A"
std::string changed_text(const std::vector<Change>& changes);

}  // namespace stackd::plan
