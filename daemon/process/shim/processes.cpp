#include "daemon/process/shim/processes.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>

#include "daemon/process/shim/system.hpp"
#include "daemon/util/fd.hpp"

namespace stackd::shim {
namespace {

// The entries of a directory that are numbers.
std::vector<int> numbers_in(const std::string& path) {
  std::vector<int> numbers;
  DIR* directory = ::opendir(path.c_str());
  if (!directory) return numbers;
  while (const auto* entry = ::readdir(directory))
    if (const int number = ::atoi(entry->d_name); number > 0) numbers.push_back(number);
  ::closedir(directory);
  return numbers;
}

std::string of_process(int pid, const std::string& file) {
  return read_small_file(AT_FDCWD, ("/proc/" + std::to_string(pid) + "/" + file).c_str());
}

bool kernel_lists_children() {
  const auto self = std::to_string(::getpid());
  return ::access(("/proc/" + self + "/task/" + self + "/children").c_str(), R_OK) == 0;
}

std::vector<int> children_of(int pid) {
  std::vector<int> children;
  for (const int thread : numbers_in("/proc/" + std::to_string(pid) + "/task")) {
    const auto text = of_process(pid, "task/" + std::to_string(thread) + "/children");
    for (char *at = const_cast<char*>(text.c_str()), *end = nullptr;; at = end) {
      const long child = ::strtol(at, &end, 10);
      if (end == at) break;
      children.push_back(static_cast<int>(child));
    }
  }
  return children;
}

}  // namespace

std::optional<Process> process(int pid) {
  const auto text = of_process(pid, "stat");
  // The name, in parentheses, may hold anything; what follows the last one does not.
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  Process found;
  found.pid = pid;
  if (::sscanf(text.c_str() + name_end + 1,
               " %c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &found.state,
               &found.parent, &found.session, &found.born) != 4)
    return std::nullopt;
  return found;
}

std::vector<Process> all_processes() {
  std::vector<Process> all;
  for (const int pid : numbers_in("/proc"))
    if (auto found = process(pid)) all.push_back(*found);
  return all;
}

std::vector<int> descendants() {
  std::vector<int> found{::getpid()};
  if (kernel_lists_children()) {
    for (std::size_t i = 0; i < found.size(); ++i)
      for (const int child : children_of(found[i])) found.push_back(child);
  } else {
    const auto all = all_processes();
    for (std::size_t i = 0; i < found.size(); ++i)
      for (const auto& each : all)
        if (each.parent == found[i]) found.push_back(each.pid);
  }
  found.erase(found.begin());
  found.erase(std::remove_if(found.begin(), found.end(),
                             [](int pid) {
                               const auto each = process(pid);
                               return !each || each->state == 'Z' || each->state == 'X';
                             }),
              found.end());
  return found;
}

bool has_in_environment(int pid, const std::string& entry) {
  const auto environment = of_process(pid, "environ");
  for (std::size_t at = 0; at < environment.size();) {
    const auto end = std::min(environment.find('\0', at), environment.size());
    if (environment.compare(at, end - at, entry) == 0) return true;
    at = end + 1;
  }
  return false;
}

std::string boot() {
  auto text = read_small_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id");
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string command_line(int pid) {
  auto text = of_process(pid, "cmdline");
  while (!text.empty() && text.back() == '\0') text.pop_back();
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text.substr(0, 80);
}

}  // namespace stackd::shim
