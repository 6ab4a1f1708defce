#include "daemon/process/lost_tree.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/process/shim/processes.hpp"
#include "daemon/process/shim/protocol.hpp"
#include "daemon/util/fd.hpp"
#include "daemon/util/files.hpp"

namespace stackd::process {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json object_in(const fs::path& file) {
  auto value = json::parse(util::read_file_if_there(file).value_or(""), nullptr, false);
  return value.is_object() ? value : json::object();
}

bool is_alive(const shim::Process& process) {
  return process.state != 'Z' && process.state != 'X';
}

}  // namespace

LostTree::LostTree(const fs::path& directory, bool seen_to_end) : seen_to_end_(seen_to_end) {
  const auto request = object_in(directory / shim::name::k_request);
  mark_ = request.value("mark", "");
  grace_ = std::chrono::milliseconds(request.value("grace_ms", std::int64_t{0}));
  const auto started = object_in(directory / shim::name::k_started);
  if (const auto boot = started.value("boot", ""); boot != shim::boot()) {
    // Another boot's numbers mean nothing, and nothing has outlived it.
    if (!boot.empty()) mark_.clear();
    return;
  }
  const auto pid = started.value("pid", 0);
  const auto born = started.value("born", 0ULL);
  if (!started.contains("exec")) {
    session_ = pid;
    leader_born_ = born;
    return;
  }
  // Of an exec it is the engine's word, which may be another machine's number: its container decides
  // (end_exec).
  if (const auto now = shim::process(pid); pid > 0 && now && now->born == born)
    exec_ = HungExec{request.value("engine", ""), "", request.value("container", ""), pid, mark_};
}

LostTree::Members LostTree::members() const {
  Members found;
  if (mark_.empty() && session_ == 0) return found;
  std::vector<shim::Process> in_session;
  bool is_ours = seen_to_end_;
  for (const auto& each : shim::all_processes()) {
    if (each.pid == ::getpid() || !is_alive(each)) continue;
    const bool marked = !mark_.empty() && shim::has_in_environment(each.pid, mark_);
    if (marked) found.emplace(each.pid, each.born);
    if (session_ <= 0 || each.session != session_) continue;
    in_session.push_back(each);
    // A number is not given again while a session goes by it. Its leader, when there is one, decides.
    if (each.pid == session_ && each.born != leader_born_) return found;
    is_ours = is_ours || marked || each.pid == session_;
  }
  if (is_ours)
    for (const auto& each : in_session) found.emplace(each.pid, each.born);
  return found;
}

void LostTree::send(int signal) {
  for (const auto& [pid, born] : members()) {
    const util::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    const auto now = shim::process(pid);
    if (!process || !now || now->born != born) continue;  // it has ended, and its number may be another's
    ::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0);
    // Who is stopped cannot act on it.
    if (signal == SIGTERM) ::syscall(SYS_pidfd_send_signal, process.get(), SIGCONT, nullptr, 0);
  }
}

std::string LostTree::survivors() {
  std::string text;
  for (const auto& [pid, born] : members())
    text += (text.empty() ? "" : ", ") + std::to_string(pid) + " (" + shim::command_line(pid) + ")";
  return text;
}

}  // namespace stackd::process
