#include "daemon/systemd/notify.hpp"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/util/fd.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;

namespace {

// The service manager's end of the notification socket.
class Manager {
public:
  Manager() {
    const std::string path = dir_.path() / "notify";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~Manager() { ::unsetenv("NOTIFY_SOCKET"); }

  // A datagram is there when the sender's call has returned, so there is nothing to wait for.
  std::string received() {
    char text[512];
    const auto size = ::recv(socket_.get(), text, sizeof text, MSG_DONTWAIT);
    return size < 0 ? "" : std::string(text, static_cast<std::size_t>(size));
  }

private:
  test::TempDir dir_;
  util::Fd socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

}  // namespace

TEST_CASE("Without a service manager every notification does nothing") {
  ::unsetenv("NOTIFY_SOCKET");
  ::unsetenv("WATCHDOG_USEC");
  systemd::ready("up");
  systemd::status("idle");
  systemd::watchdog();
  systemd::stopping();
  CHECK_FALSE(systemd::watchdog_interval());
}

TEST_CASE("Ready, status, watchdog and stopping reach the service manager as its protocol says") {
  Manager manager;
  systemd::ready();
  CHECK(manager.received() == "READY=1");
  systemd::ready("listening, 3 stacks");
  CHECK(manager.received() == "READY=1\nSTATUS=listening, 3 stacks");
  systemd::status("1 operation runs");
  CHECK(manager.received() == "STATUS=1 operation runs");
  systemd::watchdog();
  CHECK(manager.received() == "WATCHDOG=1");
  systemd::stopping();
  CHECK(manager.received() == "STOPPING=1");
  CHECK(manager.received().empty());
}

TEST_CASE("A newline in a status does not begin another message") {
  Manager manager;
  systemd::status("one\nREADY=1");
  CHECK(manager.received() == "STATUS=one READY=1");
}

TEST_CASE("The watchdog's interval is taken only when it is meant for this process") {
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  CHECK(systemd::watchdog_interval() == std::chrono::seconds(30));
  ::setenv("WATCHDOG_PID", "1", 1);
  CHECK_FALSE(systemd::watchdog_interval());
  ::unsetenv("WATCHDOG_USEC");
  ::unsetenv("WATCHDOG_PID");
}
