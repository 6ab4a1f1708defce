// What /proc says about processes.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace stackd::shim {

struct Process {
  int pid = 0, parent = 0, session = 0;
  char state = '?';
  unsigned long long born = 0;  // clock ticks since boot; with the pid it names a process for good
};

std::optional<Process> process(int pid);
std::vector<Process> all_processes();
// The calling process's descendants, zombies left out. Through /proc/<pid>/task/*/children, which costs only
// what the tree is large; where the kernel has no such files, through every process's parent.
std::vector<int> descendants();
// Whether the environment that it was started with has this entry ("NAME=value"). Nobody but root can read
// that of another user's process.
bool has_in_environment(int pid, const std::string& entry);
// Which start of the machine this is: numbers of processes are of one only.
std::string boot();
// The command line, for messages.
std::string command_line(int pid);

}  // namespace stackd::shim
