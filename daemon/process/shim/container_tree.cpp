#include "daemon/process/shim/container_tree.hpp"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <cerrno>

#include "daemon/process/shim/json.hpp"

namespace stackd::shim {
namespace {

std::string proc_file(int pid, const char* file) {
  return read_small_file(AT_FDCWD, ("/proc/" + std::to_string(pid) + "/" + file).c_str());
}

bool ended(const Process& process) {
  return process.state == 'Z' || process.state == 'X';
}

}  // namespace

ContainerTree::ContainerTree(const EngineHttp& engine, std::string container_id, int pid, std::string tag)
    : engine_(engine), container_id_(std::move(container_id)), tag_(std::move(tag)) {
  const auto root = process(pid);
  if (!root || container_id_.size() < 12 || !in_container(pid)) return;
  visible_ = true;
  members_.emplace(pid, root->born);
  depth_ = pids_of(pid).size();
}

bool ContainerTree::in_container(int pid) const {
  return proc_file(pid, "cgroup").find(container_id_) != std::string::npos;
}

bool ContainerTree::has_tag(int pid) const {
  return !tag_.empty() && has_in_environment(pid, tag_);
}

// One process's numbers in its pid namespaces, the outermost first.
std::vector<int> ContainerTree::pids_of(int pid) const {
  std::vector<int> pids;
  const auto status = proc_file(pid, "status");
  const auto line = status.find("\nNSpid:");
  if (line == std::string::npos) return pids;
  char* at = const_cast<char*>(status.c_str()) + line + 7;
  while (*at == '\t' || *at == ' ') pids.push_back(static_cast<int>(::strtol(at, &at, 10)));
  return pids;
}

std::vector<Process> ContainerTree::members() {
  const auto all = all_processes();
  const auto known = [&](int pid) { return members_.count(pid) > 0; };
  for (const auto& each : all) {
    const auto found = members_.find(each.pid);
    if (found != members_.end() && found->second != each.born)
      members_.erase(found);  // the number was given again
  }
  for (const auto& each : all)
    if (!known(each.pid) && in_container(each.pid) && has_tag(each.pid))
      members_.emplace(each.pid, each.born);
  for (bool more = true; more;) {
    more = false;
    for (const auto& each : all) {
      if (known(each.pid) || !(known(each.parent) || known(each.session)) || !in_container(each.pid))
        continue;
      members_.emplace(each.pid, each.born);
      more = true;
    }
  }
  std::vector<Process> left;
  for (const auto& each : all)
    if (known(each.pid) && !ended(each)) left.push_back(each);
  return left;
}

bool ContainerTree::gone() {
  return members().empty();
}

void ContainerTree::send(int signal) {
  std::vector<int> refused;
  for (const auto& each : members())
    if (::kill(each.pid, signal) != 0 && errno == EPERM) refused.push_back(each.pid);
  if (!refused.empty()) send_inside(signal, refused);
}

void ContainerTree::send_inside(int signal, const std::vector<int>& pids) {
  std::string inside;
  for (const int pid : pids) {
    const auto numbers = pids_of(pid);
    if (depth_ > 0 && numbers.size() >= depth_)
      inside.append(" ").append(std::to_string(numbers[depth_ - 1]));
  }
  if (inside.empty()) return;
  const auto command = "kill -" + std::to_string(signal) + inside;
  const auto body = R"({"User":"0","Cmd":["/bin/sh","-c",")" + command + R"("]})";
  const auto created = engine_.call("POST", "/containers/" + container_id_ + "/exec", body, 5000);
  if (const auto id = text_member(created.body, "Id"))
    engine_.call("POST", "/exec/" + *id + "/start", R"({"Detach":true})", 5000);
}

std::string ContainerTree::survivors() {
  std::string text;
  for (const auto& each : members())
    text += (text.empty() ? "" : ", ") + std::to_string(each.pid) + " (" + command_line(each.pid) + ")";
  return text;
}

}  // namespace stackd::shim
