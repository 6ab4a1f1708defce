#include "daemon/dotdocker/helper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "daemon/util/error.hpp"
#include "daemon/util/fd.hpp"
#include "daemon/util/text.hpp"

namespace stackd::dotdocker {
namespace {

using Clock = std::chrono::steady_clock;
using util::Error;
using util::ErrorKind;

constexpr std::size_t k_most_output = 1 << 20;

std::string find_program(const Environment& caller, const std::string& program) {
  const auto path = caller.find("PATH");
  for (const auto& directory :
       util::split(path == caller.end() ? "/usr/local/bin:/usr/bin:/bin" : path->second, ':')) {
    auto file = directory + "/" + program;
    if (directory.starts_with('/') && ::access(file.c_str(), X_OK) == 0) return file;
  }
  throw Error(ErrorKind::failed, "there is no such program in the PATH of the shell that asked");
}

struct Pipe {
  Pipe() {
    // A socket pair: writing to a helper that reads nothing must be no SIGPIPE.
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
      throw util::system_error("no pipe for it", errno);
    ours.reset(ends[0]);
    its.reset(ends[1]);
  }
  util::Fd ours, its;
};

// The helper, in a process group of its own; ended with all of the group when this goes away before its end.
class Helper {
public:
  Helper(const std::string& file, const std::string& word, const Environment& caller, const Pipe& in,
         const Pipe& out, const Pipe& err) {
    std::vector<std::string> words{file, word}, lines;
    for (const auto& [name, value] : caller) lines.push_back(name + "=" + value);
    const auto argv = pointers(words), environment = pointers(lines);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in.its.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out.its.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, err.its.get(), STDERR_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    sigset_t signals;
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes, &signals);
    ::sigfillset(&signals);
    ::posix_spawnattr_setsigdefault(&attributes, &signals);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes,
                               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    const int failure =
        ::posix_spawn(&pid_, file.c_str(), &actions, &attributes, argv.data(), environment.data());
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) throw util::system_error("it cannot be started", failure);
  }
  ~Helper() {
    if (ended_) return;
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;

  // Its status, nothing while it runs.
  bool ended(int& status) {
    int how = 0;
    if (::waitpid(pid_, &how, WNOHANG) != pid_) return false;
    ended_ = true;
    status = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
    return true;
  }

private:
  static std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> list;
    for (auto& word : words) list.push_back(word.data());
    list.push_back(nullptr);
    return list;
  }
  pid_t pid_ = 0;
  bool ended_ = false;
};

enum class Took { some, nothing, all };

// Reads what has come.
Took take(const util::Fd& from, std::string& into) {
  std::array<char, 4096> buffer;
  const auto count = ::recv(from.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count == 0) return Took::all;
  if (count < 0) return errno == EAGAIN || errno == EINTR ? Took::nothing : Took::all;
  if (into.size() < k_most_output) into.append(buffer.data(), static_cast<std::size_t>(count));
  return Took::some;
}

}  // namespace

HelperAnswer run_helper(const Environment& caller, const std::string& program, const std::string& word,
                        const std::string& input, std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  Pipe in, out, err;
  Helper helper(find_program(caller, program), word, caller, in, out, err);
  in.its.reset();
  out.its.reset();
  err.its.reset();
  // An address is shorter than any socket's buffer.
  (void)::send(in.ours.get(), input.data(), input.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  in.ours.reset();
  HelperAnswer answer;
  for (bool out_open = true, err_open = true;;) {
    if (helper.ended(answer.status)) {
      // What it has started may keep its output open; its own end counts.
      while (take(out.ours, answer.out) == Took::some) continue;
      while (take(err.ours, answer.err) == Took::some) continue;
      return answer;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0)
      throw Error(ErrorKind::failed,
                  "it did not answer within " + util::format_duration(limit) + " and was ended");
    pollfd waits[2]{{out_open ? out.ours.get() : -1, POLLIN, 0}, {err_open ? err.ours.get() : -1, POLLIN, 0}};
    // With both closed its end is a moment away.
    const auto most = out_open || err_open ? 100L : 5L;
    ::poll(waits, 2, static_cast<int>(std::min<long>(left, most)));
    if (waits[0].revents) out_open = take(out.ours, answer.out) != Took::all;
    if (waits[1].revents) err_open = take(err.ours, answer.err) != Took::all;
  }
}

}  // namespace stackd::dotdocker
