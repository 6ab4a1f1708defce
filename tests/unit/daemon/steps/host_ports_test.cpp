#include "daemon/steps/common/host_ports.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/util/fd.hpp"
#include "daemon/util/files.hpp"
#include "tests/support/catch.hpp"

using namespace stackd;

TEST_CASE("a port that somebody has is taken; one that this user may not bind is not") {
  const util::Fd other(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(other.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(other.get(), 1) == 0);
  REQUIRE(::getsockname(other.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  CHECK_FALSE(steps::port_is_free(ntohs(address.sin_port), "tcp", "127.0.0.1"));

  const auto first = std::stoi(util::read_file("/proc/sys/net/ipv4/ip_unprivileged_port_start"));
  if (first <= 783) return;  // everybody may bind low ports here
  const pid_t ordinary = ::fork();
  if (ordinary == 0) {
    if (::getuid() == 0 && ::setuid(65534) != 0) ::_exit(2);
    ::_exit(steps::port_is_free(783, "tcp", "127.0.0.1") && steps::port_is_free(783, "udp", "") ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(ordinary, &status, 0) == ordinary);
  CHECK(status == 0);
}
