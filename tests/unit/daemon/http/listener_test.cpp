#include "daemon/http/listener.hpp"

#include <sys/stat.h>
#include <sys/wait.h>

#include <filesystem>

#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;
using http::Listener;
namespace fs = std::filesystem;

namespace {

util::ErrorKind kind_thrown(const std::function<void()>& f) {
  try {
    f();
  } catch (const util::Error& e) {
    return e.kind();
  }
  FAIL("nothing was thrown");
  return util::ErrorKind::internal;
}

mode_t mode_of(const fs::path& path) {
  struct stat info {};
  REQUIRE(::lstat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

// A socket file whose daemon was killed.
void leave_socket_behind(const fs::path& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path.c_str());
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  ::close(fd);
}

}  // namespace

TEST_CASE("The socket is the user's alone, and gone with its listener", "[http]") {
  test::TempDir directory;
  const auto path = directory.path() / "new" / "stackd.sock";
  {
    const auto listener = Listener::unix_socket(path);
    CHECK(listener.transport() == http::Transport::unix_socket);
    CHECK(listener.describe() == path.string());
    CHECK(mode_of(path) == 0600);
    CHECK(mode_of(path.parent_path()) == 0700);
    CHECK_NOTHROW(test::HttpClient::unix_socket(path));
  }
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("A socket that a dead daemon left is replaced", "[http]") {
  test::TempDir directory;
  const auto path = directory.path() / "stackd.sock";
  leave_socket_behind(path);
  const auto listener = Listener::unix_socket(path);
  CHECK_NOTHROW(test::HttpClient::unix_socket(path));
}

TEST_CASE("A socket that another daemon listens on is left alone", "[http]") {
  test::TempDir directory;
  const auto path = directory.path() / "stackd.sock";
  const auto first = Listener::unix_socket(path);
  CHECK(kind_thrown([&] { Listener::unix_socket(path); }) == util::ErrorKind::conflict);
  CHECK_NOTHROW(test::HttpClient::unix_socket(path));

  // Nor does one help that holds no lock (the service manager's socket).
  const auto passed = directory.path() / "passed.sock";
  leave_socket_behind(passed);
  fs::remove(passed);
  util::Fd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, passed.c_str());
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  REQUIRE(::listen(fd.get(), 1) == 0);
  CHECK(kind_thrown([&] { Listener::unix_socket(passed); }) == util::ErrorKind::conflict);
  CHECK(fs::exists(passed));
}

TEST_CASE("A file that is no socket is never removed", "[http]") {
  test::TempDir directory;
  const auto path = directory.write("stackd.sock", "precious");
  CHECK(kind_thrown([&] { Listener::unix_socket(path); }) == util::ErrorKind::conflict);
  CHECK(fs::exists(path));
}

TEST_CASE("A listener does not remove the socket of one that came after it", "[http]") {
  test::TempDir directory;
  const auto path = directory.path() / "stackd.sock";
  {
    const auto listener = Listener::unix_socket(path);
    fs::remove(path);
    leave_socket_behind(path);
  }
  CHECK(fs::exists(path));
}

TEST_CASE("A path that is too long for a socket is refused with its limit", "[http]") {
  test::TempDir directory;
  try {
    Listener::unix_socket(directory.path() / std::string(120, 'x'));
    FAIL("nothing was thrown");
  } catch (const util::Error& e) {
    CHECK(e.kind() == util::ErrorKind::invalid_request);
    CHECK(std::string(e.what()).find("107") != std::string::npos);
  }
}

TEST_CASE("TCP is served on loopback only", "[http]") {
  const auto listener = Listener::tcp("127.0.0.1:0");
  CHECK(listener.port() > 0);
  CHECK(listener.describe() == "127.0.0.1:" + std::to_string(listener.port()));
  CHECK(kind_thrown([&] { Listener::tcp(listener.describe()); }) == util::ErrorKind::conflict);
  for (const auto* bad : {"0.0.0.0:7070", "7070", ":7070", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:7x",
                          "example.org:80", "[::]:80", "10.0.0.1:80"}) {
    CAPTURE(bad);
    CHECK(kind_thrown([&] { Listener::tcp(bad); }) == util::ErrorKind::invalid_request);
  }
}

TEST_CASE("A passed socket is taken when it listens, and its path is not removed", "[http]") {
  test::TempDir directory;
  const auto path = directory.path() / "passed.sock";
  util::Fd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path.c_str());
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  CHECK(kind_thrown([&] { Listener::passed(util::Fd(::dup(fd.get()))); }) ==
        util::ErrorKind::invalid_request);
  REQUIRE(::listen(fd.get(), 1) == 0);
  {
    const auto listener = Listener::passed(std::move(fd));
    CHECK(listener.describe() == path.string());
  }
  CHECK(fs::exists(path));
}
