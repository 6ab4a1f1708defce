// Graph: a list of steps under construction, and the pieces that ups and downs share. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/model/spec.hpp"
#include "daemon/plan/snapshot.hpp"
#include "daemon/plan/step_kinds.hpp"

namespace stackd::plan {

// What `into` has not got yet.
void append(Keys& into, const Keys& more);
// "web-1"
std::string replica(const std::string& service, int number);

class Graph {
public:
  // Returns the key, for the needs of others: as it is given, or, when that is taken, with the service behind
  // it. A process may be called "web-1" beside a service web, and one that was a container has two
  // before_down.
  template <class Kind>
  std::string add(std::string key, std::string service, const Kind& params, Keys needs, bool go_on = false) {
    key = free_key(std::move(key), service);
    steps_.push_back(step(key, std::move(service), params, std::move(needs), go_on));
    return key;
  }
  // One phase's entries one after another (entries of a group together); returns what must end before going
  // on, which is `needs` when there are none. `like` goes into each; keys are "<subject> <phase>[<i>]".
  Keys add_hooks(const std::vector<const model::Hook*>& hooks, const std::string& subject, Keys needs,
                 Hook like, bool go_on);
  std::vector<operations::StepPlan> take() { return std::move(steps_); }

private:
  std::string free_key(std::string key, const std::string& service);

  std::vector<operations::StepPlan> steps_;
  std::set<std::string> keys_;
};

// Steps whose keys are taken by earlier ones of the operation get " again" behind theirs.
void name_apart(const std::set<std::string>& taken, std::vector<operations::StepPlan>& steps);

// What a pre_stop that fails means where its entry does not say it (X7).
enum class FailingPreStop {
  forbids,  // stop, restart: its container keeps running, and the operation fails
  fails,    // down: the container goes, and the operation fails
  warns     // up: the container goes, which is what the up was after
};

struct ContainerEnd {
  bool remove = false;
  FailingPreStop failing = FailingPreStop::fails;
  std::string reason;          // STACKD_REASON
  std::optional<int> timeout;  // seconds
  bool volumes = false;        // its anonymous ones go as well
  bool keeps = false;          // X34: it is noted first, and set aside where it would be removed
};
// The steps that take one container away, after `needs`; returns the last keys. `service` may be null (a
// container of no service that is known).
Keys add_container_end(Graph& graph, const model::Service* service, const Container& container, Keys needs,
                       const ContainerEnd& end);

// A service's own before_down (X11), and the steps that end its process; the last keys. Failures of the hooks
// do not keep it from its end. `gone`: the service is one of Spec::gone.
Keys add_before_down(Graph& graph, const model::Service& service, Keys needs, const std::string& reason,
                     bool gone = false);
Keys add_process_end(Graph& graph, const model::Service& service, Keys needs, bool alive,
                     const std::string& reason, bool gone = false);

}  // namespace stackd::plan
