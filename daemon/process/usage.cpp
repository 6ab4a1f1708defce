#include "daemon/process/usage.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "daemon/util/files.hpp"

namespace stackd::process {
namespace {

namespace fs = std::filesystem;

std::optional<Sample> sample_of(int pid) {
  const auto directory = "/proc/" + std::to_string(pid);
  const auto stat = util::read_file_if_there(directory + "/stat");
  const auto name_begin = stat ? stat->find('(') : std::string::npos;
  const auto name_end = stat ? stat->rfind(')') : std::string::npos;  // the name may hold anything
  if (name_end == std::string::npos || name_begin > name_end) return std::nullopt;
  char state = 0;
  unsigned long user = 0, system = 0;
  unsigned long long born = 0;
  long pages = 0;
  Sample sample;
  if (std::sscanf(stat->c_str() + name_end + 1,
                  " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %llu %*u %ld",
                  &state, &sample.parent, &user, &system, &born, &pages) != 6 ||
      state == 'Z' || state == 'X')
    return std::nullopt;
  sample.pid = pid;
  sample.born = born;
  sample.busy = std::chrono::duration<double>(static_cast<double>(user + system) /
                                              static_cast<double>(::sysconf(_SC_CLK_TCK)));
  sample.memory = static_cast<std::int64_t>(pages) * ::sysconf(_SC_PAGESIZE);
  sample.command = util::read_file_if_there(directory + "/cmdline").value_or("");
  while (!sample.command.empty() && sample.command.back() == '\0') sample.command.pop_back();
  std::replace(sample.command.begin(), sample.command.end(), '\0', ' ');
  if (sample.command.empty()) sample.command = stat->substr(name_begin + 1, name_end - name_begin - 1);
  return sample;
}

}  // namespace

Samples sample_processes() {
  Samples samples{std::chrono::steady_clock::now(), {}};
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (auto sample = sample_of(std::stoi(name))) samples.processes.emplace(sample->pid, std::move(*sample));
  }
  return samples;
}

std::vector<Sample> tree_of(const Samples& samples, int pid) {
  const auto command = samples.processes.find(pid);
  if (command == samples.processes.end()) return {};
  std::vector<int> parents{command->second.parent};  // the shim
  std::vector<Sample> tree;
  for (std::size_t i = 0; i < parents.size(); ++i)
    for (const auto& [child, sample] : samples.processes)
      if (sample.parent == parents[i]) {
        parents.push_back(child);
        tree.push_back(sample);
      }
  return tree;
}

double cpu_percent(const Samples& before, const Samples& after, int pid) {
  const auto old = before.processes.find(pid), now = after.processes.find(pid);
  if (old == before.processes.end() || now == after.processes.end() || old->second.born != now->second.born)
    return 0;
  const std::chrono::duration<double> passed = after.at - before.at;
  return passed.count() > 0 ? (now->second.busy - old->second.busy) / passed * 100 : 0;
}

}  // namespace stackd::process
