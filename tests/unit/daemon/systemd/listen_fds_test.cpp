#include "daemon/systemd/listen_fds.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;

namespace {

int listening_socket(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 8) != 0)
    return -1;
  return fd;
}

// Passed sockets begin at descriptor 3, which belongs to the test program here; so the check runs in a child.
// Returns the child's exit code: 0 when `check` said yes.
int in_activated_child(const std::vector<int>& fds, const std::string& names,
                       const std::function<bool()>& check) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (std::size_t i = 0; i < fds.size(); ++i)
      if (::dup2(fds[i], 100 + static_cast<int>(i)) < 0) ::_exit(10);
    for (std::size_t i = 0; i < fds.size(); ++i)
      if (::dup2(100 + static_cast<int>(i), 3 + static_cast<int>(i)) < 0) ::_exit(10);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", std::to_string(fds.size()).c_str(), 1);
    ::setenv("LISTEN_FDNAMES", names.c_str(), 1);
    bool good = false;
    try {
      good = check();
    } catch (...) {
      ::_exit(11);
    }
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("A process that was not activated gets no socket") {
  ::unsetenv("LISTEN_FDS");
  ::unsetenv("LISTEN_PID");
  CHECK(systemd::take_passed_sockets().empty());
}

TEST_CASE("Passed sockets come in order with their names, close on exec, and are taken once") {
  test::TempDir dir;
  const int first = listening_socket(dir.path() / "a");
  const int second = listening_socket(dir.path() / "b");
  REQUIRE(first >= 0);
  REQUIRE(second >= 0);
  CHECK(in_activated_child({first, second}, "api:metrics", [] {
          auto sockets = systemd::take_passed_sockets();
          if (sockets.size() != 2 || sockets[0].name != "api" || sockets[1].name != "metrics") return false;
          if (sockets[0].fd.get() != 3 || sockets[1].fd.get() != 4) return false;
          if (!(::fcntl(3, F_GETFD) & FD_CLOEXEC) || ::getenv("LISTEN_FDS")) return false;
          return systemd::take_passed_sockets().empty();
        }) == 0);
  ::close(first);
  ::close(second);
}

TEST_CASE("A passed file that does not listen is refused by name") {
  test::TempDir dir;
  const int file = ::open(dir.write("plain", "x").c_str(), O_RDONLY);
  CHECK(in_activated_child({file}, "api", [] {
          try {
            systemd::take_passed_sockets();
          } catch (const util::Error& e) {
            return e.kind() == util::ErrorKind::io &&
                   std::string(e.what()).find("\"api\"") != std::string::npos;
          }
          return false;
        }) == 0);
  ::close(file);
}
