#include "daemon/dotdocker/engine_choice.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "daemon/util/fd.hpp"
#include "daemon/util/ids.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;
using namespace stackd::dotdocker;

namespace {

struct Machine {
  test::TempDir dir;
  Environment environment{{"HOME", dir.path().string()}, {"XDG_RUNTIME_DIR", (dir.path() / "run").string()}};

  void context(const std::string& name, const std::string& host) const {
    dir.write(".docker/contexts/meta/" + util::sha256_hex(name) + "/meta.json",
              R"({"Name": ")" + name + R"(", "Endpoints": {"docker": {"Host": ")" + host + R"("}}})");
  }
  void current(const std::string& name) const {
    dir.write(".docker/config.json", R"({"currentContext": ")" + name + R"("})");
  }
  util::Fd rootless_socket() const {
    std::filesystem::create_directories(dir.path() / "run");
    util::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, (dir.path() / "run/docker.sock").c_str(), sizeof address.sun_path - 1);
    REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    return fd;
  }
};

}  // namespace

TEST_CASE("without anything it is the usual socket", "[dotdocker][engine]") {
  const Machine user;
  const auto choice = choose_engine(user.environment);
  CHECK(choice.host == "unix:///var/run/docker.sock");
  CHECK(choice.why == "the usual socket");
  CHECK(choice.warning.empty());
  CHECK(choose_engine({}).host == "unix:///var/run/docker.sock");
}

TEST_CASE("the current context goes before a rootless socket, and that before the usual one",
          "[dotdocker][engine]") {
  Machine user;
  const auto socket = user.rootless_socket();
  CHECK(choose_engine(user.environment).host == "unix://" + (user.dir.path() / "run/docker.sock").string());
  CHECK(choose_engine(user.environment).why == "the socket of a rootless Docker");
  user.context("mine", "unix:///run/mine.sock");
  user.current("mine");
  const auto choice = choose_engine(user.environment);
  CHECK(choice.host == "unix:///run/mine.sock");
  CHECK(choice.why == "the context 'mine' of " + (user.dir.path() / ".docker/config.json").string());
  user.context("other", "unix:///run/other.sock");
  user.environment["DOCKER_CONTEXT"] = "other";
  CHECK(choose_engine(user.environment).host == "unix:///run/other.sock");
  user.environment["DOCKER_CONTEXT"] = "default";
  CHECK(choose_engine(user.environment).why == "the socket of a rootless Docker");
}

TEST_CASE("a context elsewhere, one that is gone and a broken config.json are passed over, and said so",
          "[dotdocker][engine]") {
  const Machine user;
  user.context("far", "ssh://ann@far.example");
  user.current("far");
  const auto far = choose_engine(user.environment);
  CHECK(far.why == "the usual socket");
  CHECK(far.warning.find("ssh://ann@far.example is no Unix socket of this machine") != std::string::npos);
  user.current("gone");
  CHECK(choose_engine(user.environment).warning.find("nothing is written down of it") != std::string::npos);
  user.dir.write(".docker/config.json", "{");
  const auto broken = choose_engine(user.environment);
  CHECK(broken.why == "the usual socket");
  CHECK(broken.warning.find("it is no JSON object") != std::string::npos);
}
