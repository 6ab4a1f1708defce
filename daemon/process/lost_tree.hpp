// LostTree: what is left of a run whose shim was killed. Nobody is its parent any more, so it is known by
// what the shim gave it: the mark in its environment (shim_request.hpp), which children inherit wherever they
// go, and the command's session. A process that has got rid of both is not found. Blocks (reads /proc): on
// the files' thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/process/end_exec.hpp"
#include "daemon/process/shim/ending.hpp"

namespace stackd::process {

class LostTree : public shim::Tree {
public:
  // `seen_to_end`: the shim was watched until just now. Only then is a session believed by its number alone;
  // later on, the number may be another's, and it takes its leader, or a member with the mark, to say that it
  // is still the run's.
  LostTree(const std::filesystem::path& directory, bool seen_to_end);

  void send(int signal) override;
  bool gone() override { return members().empty(); }
  // Less and less often: others wait for the files' thread.
  shim::Millis look_again() const override { return pause_ = std::min<shim::Millis>(pause_ * 2, 250); }
  std::string survivors() override;
  // What the run was asked for with.
  std::chrono::milliseconds grace() const { return grace_; }
  // The process of a run in a container, whose environment only root can read: it is ended through the
  // engine.
  const std::optional<HungExec>& exec() const { return exec_; }

private:
  // pid -> when it was born, which together name a process for good.
  using Members = std::map<int, unsigned long long>;
  Members members() const;

  std::string mark_;  // "STACKD_RUN=…"; empty when the run began before there were marks
  int session_ = 0;
  unsigned long long leader_born_ = 0;
  bool seen_to_end_ = false;
  mutable shim::Millis pause_ = 10;
  std::chrono::milliseconds grace_{0};
  std::optional<HungExec> exec_;
};

}  // namespace stackd::process
