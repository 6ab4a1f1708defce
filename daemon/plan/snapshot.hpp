// Snapshot: what is there now, as far as a plan has to know it. The steps fill it from fresh looks at the
// engine, the runs and the store (steps/common/look.hpp). Plain data.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/docker/types.hpp"
#include "daemon/model/phases.hpp"

namespace stackd::plan {

struct Container {
  std::string id, name, service;
  int number = 1;
  std::string state;                            // as docker::ContainerSummary
  std::string definition, image_id, operation;  // what it was made from, and by which operation; its labels
  std::vector<std::string> network_ids;
  bool foreign = false;  // Docker Compose's
  bool runs() const { return state == "running"; }
  // A signal would reach it.
  bool alive() const { return state == "running" || state == "paused" || state == "restarting"; }
};

struct Process {
  bool alive = false;
  bool done = false;  // it has ended with 0
  std::string definition, operation;
};

// A network or volume that this stack made, by the key in the file.
struct Made {
  std::string id, name;
  std::string definition;  // hash of what it was made from
};

// The newest run of an entry, and it failed; `container` is whose it was.
struct FailedHook {
  std::string service;
  model::Phase phase = model::Phase::post_start;
  int index = 0;
  std::string container;
};

// What is known of an entry before it is called, and so before its turn in the graph has come.
struct HookOutlook {
  std::string service;
  model::Phase phase = model::Phase::before_up;
  int index = 0;
  std::string skip;        // why it will not run, by its `if`, `once` or `run: changed`; "" when it will
  std::string due;         // why it is to run now, whatever else is: run: once and changed (X36)
  bool by_memory = false;  // `skip` is what once or changed remember
  std::set<std::string> worked;  // ids of containers in which it has succeeded (X3)
};

struct Snapshot {
  bool engine = false;  // it was asked; a stack of processes alone has none
  // By service and number: this stack's, and what Compose left of the project when that is to be taken away.
  std::map<std::string, std::map<int, Container>> containers;
  std::vector<Container> hook_containers;
  std::vector<Container> oneoffs;            // of `run`: no replicas of a service
  std::vector<Container> kept;               // taken out of service by an up that has not worked (yet)
  std::map<std::string, Process> processes;  // by service
  // By reference; nothing for one that is not there.
  std::map<std::string, std::optional<docker::ImageDetails>> images;
  std::map<std::string, Made> networks, volumes;
  std::set<std::string> others;  // names of networks and volumes that are there and somebody else's
  std::vector<FailedHook> failed_hooks;
  std::vector<HookOutlook> hooks;
  // Replicas that the engine has started since an operation last did: what comes after a start is owed (X30).
  std::map<std::string, std::set<int>> restarted;
  bool up = false;       // an up has worked since the last down
  bool touched = false;  // there was an up since the last down
  // X34: what the stack was before this up is remembered; and the ids of containers that it has taken out of
  // service.
  bool former = false;
  std::set<std::string> taken;
  std::string previous;  // state of the stack's operation before this one

  // Those of one service; empty when there are none.
  const std::map<int, Container>& of(const std::string& service) const;
  const HookOutlook* outlook(const std::string& service, model::Phase phase, int index) const;
};

// service -> id of its first container.
std::map<std::string, std::string> first_containers(const Snapshot& seen);

}  // namespace stackd::plan
