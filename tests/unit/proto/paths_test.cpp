#include "proto/paths.hpp"

#include <cstdlib>
#include <map>
#include <optional>

#include "tests/support/catch.hpp"

using namespace stackd::proto;

namespace {

// Variables as the test wants them, put back when it ends.
class Variables {
public:
  explicit Variables(const std::map<std::string, std::string>& wanted) {
    for (const auto* name : {"STACKD_HOME", "XDG_STATE_HOME", "HOME", "STACKD_SOCKET", "XDG_RUNTIME_DIR"}) {
      const char* value = std::getenv(name);
      before_[name] = value ? std::optional<std::string>(value) : std::nullopt;
      const auto found = wanted.find(name);
      if (found == wanted.end())
        ::unsetenv(name);
      else
        ::setenv(name, found->second.c_str(), 1);
    }
  }
  ~Variables() {
    for (const auto& [name, value] : before_) {
      if (value)
        ::setenv(name.c_str(), value->c_str(), 1);
      else
        ::unsetenv(name.c_str());
    }
  }

private:
  std::map<std::string, std::optional<std::string>> before_;
};

}  // namespace

TEST_CASE("The state directory: STACKD_HOME, XDG_STATE_HOME, the home directory", "[proto]") {
  {
    Variables variables({{"STACKD_HOME", "/a"}, {"XDG_STATE_HOME", "/b"}, {"HOME", "/c"}});
    CHECK(default_home() == "/a");
  }
  {
    Variables variables({{"STACKD_HOME", ""}, {"XDG_STATE_HOME", "/b"}, {"HOME", "/c"}});
    CHECK(default_home() == "/b/stackd");
  }
  {
    Variables variables(std::map<std::string, std::string>{{"HOME", "/c"}});
    CHECK(default_home() == "/c/.local/state/stackd");
  }
  Variables variables(std::map<std::string, std::string>{});
  CHECK(default_home().find("/.local/state/stackd") != std::string::npos);
}

TEST_CASE("The socket: STACKD_SOCKET, XDG_RUNTIME_DIR, /run", "[proto]") {
  {
    Variables variables({{"STACKD_SOCKET", "/a.sock"}, {"XDG_RUNTIME_DIR", "/run/user/1"}});
    CHECK(default_socket() == "/a.sock");
  }
  {
    Variables variables(std::map<std::string, std::string>{{"XDG_RUNTIME_DIR", "/run/user/1"}});
    CHECK(default_socket() == "/run/user/1/stackd/stackd.sock");
  }
  Variables variables(std::map<std::string, std::string>{});
  CHECK(default_socket() == "/run/stackd/stackd.sock");
}
