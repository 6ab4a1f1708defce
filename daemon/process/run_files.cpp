#include "daemon/process/run_files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>

#include "daemon/process/shim/protocol.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"

namespace stackd::process {
namespace {

namespace name = shim::name;
namespace fs = std::filesystem;
using nlohmann::json;

enum class Lock { held, free, missing };

// Shared, so that two who ask at once do not take each other for the shim. (The shim locks before the
// directory has its name, so it never meets one of us.)
Lock look_at_lock(const fs::path& directory) {
  util::Fd lock(::open((directory / name::k_lock).c_str(), O_RDONLY | O_CLOEXEC));
  if (!lock) {
    if (errno == ENOENT || errno == ENOTDIR) return Lock::missing;
    throw util::system_error("cannot open '" + (directory / name::k_lock).string() + "'", errno);
  }
  if (::flock(lock.get(), LOCK_SH | LOCK_NB) == 0) return Lock::free;
  if (errno == EWOULDBLOCK) return Lock::held;
  throw util::system_error("cannot look at lock '" + (directory / name::k_lock).string() + "'", errno);
}

json read_json(const fs::path& file) {
  const auto text = util::read_file_if_there(file);
  if (!text) return nullptr;
  auto value = json::parse(*text, nullptr, false);
  return value.is_object() ? value : json(json::value_t::discarded);
}

Cause cause_of(const std::string& word) {
  if (word == "exited") return Cause::exited;
  if (word == "signalled") return Cause::signalled;
  if (word == "timed_out") return Cause::timed_out;
  if (word == "ended") return Cause::ended;
  if (word == "not_started") return Cause::not_started;
  return Cause::lost;
}

RunExit read_exit(const json& text) {
  RunExit exit;
  exit.cause = cause_of(text.value("cause", ""));
  exit.code = text.value("code", -1);
  exit.signal = text.value("signal", 0);
  exit.error = text.value("error", "");
  exit.out_tail = text.value("out", "");
  exit.err_tail = text.value("err", "");
  exit.started_at = text.value("started_at", util::TimeMs{0});
  exit.ended_at = text.value("ended_at", util::TimeMs{0});
  exit.ran = text.value("ran", exit.ended_at - exit.started_at);
  return exit;
}

RunExit lost(const fs::path& directory, std::string why) {
  RunExit exit;
  exit.error = std::move(why);
  if (const auto started = read_json(directory / name::k_started); started.is_object())
    exit.started_at = started.value("at", util::TimeMs{0});
  return exit;
}

bool is_there(const fs::path& directory) {
  std::error_code ignored;
  return fs::is_directory(directory, ignored);
}

}  // namespace

std::optional<RunExit> exit_of(const fs::path& directory) {
  // The lock first: the shim writes exit.json before it lets go, so a free lock means that what is there is
  // all.
  const auto lock = look_at_lock(directory);
  if (lock == Lock::missing && !is_there(directory)) return std::nullopt;
  const auto text = read_json(directory / name::k_exit);
  if (text.is_object()) return read_exit(text);
  if (text.is_discarded()) return lost(directory, "its exit.json cannot be read");
  if (lock == Lock::held) return std::nullopt;
  return lost(directory,
              "the process that held the command ended without a word (killed, or the machine went down)");
}

RunState state_of(const fs::path& directory) {
  if (!is_there(directory)) return RunState::absent;
  return exit_of(directory) ? RunState::ended : RunState::running;
}

std::optional<int> command_pid(const fs::path& directory) {
  const auto started = read_json(directory / name::k_started);
  const int pid = started.is_object() ? started.value("pid", 0) : 0;
  return pid > 0 ? std::optional(pid) : std::nullopt;
}

RunLook look_at_run(const fs::path& directory) {
  RunLook look;
  if (!is_there(directory)) return look;
  look.exit = exit_of(directory);
  std::error_code ignored;
  look.abandoned =
      look.exit && look.exit->cause == Cause::lost && !fs::exists(directory / name::k_exit, ignored);
  look.state = look.exit ? RunState::ended : RunState::running;
  if (look.running()) look.pid = command_pid(directory);
  return look;
}

void record_lost(const fs::path& directory, const RunExit& exit) {
  const json text{{"cause", "lost"},
                  {"code", exit.code},
                  {"error", exit.error},
                  {"started_at", exit.started_at},
                  {"ended_at", exit.ended_at}};
  try {
    util::write_file(directory / name::k_exit, text.dump() + "\n", 0600, util::Durability::fleeting);
  } catch (const util::Error&) {
    // No room: who looks next searches again, and finds nothing.
  }
}

util::Fd open_shim(const fs::path& directory) {
  const auto text = util::read_file_if_there(directory / name::k_lock).value_or("");
  int pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  if (pid <= 0) return {};
  util::Fd shim(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!shim && errno != ESRCH) throw util::system_error("cannot watch process " + std::to_string(pid), errno);
  return look_at_lock(directory) == Lock::held ? std::move(shim) : util::Fd();
}

}  // namespace stackd::process
