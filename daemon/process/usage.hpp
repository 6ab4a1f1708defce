// What processes of this machine use, as the kernel counts it. Reads /proc, so it blocks a little.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace stackd::process {

struct Sample {
  int pid = 0, parent = 0;
  std::uint64_t born = 0;                 // tells a pid that was given again from the one it was
  std::chrono::duration<double> busy{0};  // on all cores together
  std::int64_t memory = 0;                // resident, in bytes
  std::string command;                    // its arguments, or its name when it shows none
};

// One look at every living process, by pid.
struct Samples {
  std::chrono::steady_clock::time_point at;
  std::map<int, Sample> processes;
};
Samples sample_processes();

// The command of a run and everything that it started and that still lives, whoever their parents were: the
// shim adopts them. `pid` as Runs::pid().
std::vector<Sample> tree_of(const Samples& samples, int pid);

// In percent of one core, between two looks; 0 for a process that the first has not seen.
double cpu_percent(const Samples& before, const Samples& after, int pid);

}  // namespace stackd::process
