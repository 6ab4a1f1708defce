// ContainerTree: the processes of one exec, seen from the host (X9). The engine tells the host's pid of the
// exec; from there on it is who descends from it, who is in a session that one of them leads, and who has the
// exec's tag in its environment (so that a process whose parent has ended is not missed; only root can read
// those). Nothing is signalled that /proc does not place in the container: another machine's pid, or another
// pid namespace's, means nothing here.
//
// Signals are sent directly where that is allowed (root); otherwise by a second exec, `kill` as the
// container's root, with the pids as the container sees them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/process/shim/ending.hpp"
#include "daemon/process/shim/engine_http.hpp"
#include "daemon/process/shim/processes.hpp"

namespace stackd::shim {

class ContainerTree : public Tree {
public:
  ContainerTree(const EngineHttp& engine, std::string container_id, int pid, std::string tag);
  // Whether the exec's process can be seen from here.
  bool visible() const { return visible_; }

  void send(int signal) override;
  bool gone() override;
  Millis look_again() const override { return 20; }
  std::string survivors() override;

private:
  std::vector<Process> members();
  bool in_container(int pid) const;
  bool has_tag(int pid) const;
  void send_inside(int signal, const std::vector<int>& pids);
  std::vector<int> pids_of(int pid) const;

  const EngineHttp& engine_;
  std::string container_id_, tag_;
  bool visible_ = false;
  std::size_t depth_ = 0;                      // of the container's pid namespace
  std::map<int, unsigned long long> members_;  // pid -> born; also of those that have ended
};

}  // namespace stackd::shim
