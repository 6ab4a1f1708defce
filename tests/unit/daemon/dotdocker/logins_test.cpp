#include "daemon/dotdocker/logins.hpp"

#include <nlohmann/json.hpp>

#include "daemon/dotdocker/base64.hpp"
#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;
using namespace stackd::dotdocker;
using namespace std::chrono_literals;

namespace {

// A user with a home and programs of its own.
struct User {
  test::TempDir dir;
  Environment environment{{"HOME", (dir.path() / "home").string()},
                          {"PATH", (dir.path() / "bin").string() + ":/usr/bin:/bin"}};

  void config(const std::string& text) const { dir.write("home/.docker/config.json", text); }
  void helper(const std::string& name, const std::string& script) const {
    const auto file = dir.write("bin/docker-credential-" + name, "#!/bin/sh\n" + script + "\n");
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }
  Found find(const std::string& registry, std::chrono::milliseconds limit = 10s) const {
    return find_login(environment, registry, limit);
  }
  std::string failure(const std::string& registry, std::chrono::milliseconds limit = 10s) const {
    try {
      find(registry, limit);
    } catch (const util::Error& e) {
      CHECK(e.kind() == util::ErrorKind::failed);
      return e.what();
    }
    return "none";
  }
};

}  // namespace

TEST_CASE("the registry of a reference is its first part when that is a host", "[dotdocker][logins]") {
  const std::pair<std::string, std::string> known[]{{"busybox", "docker.io"},
                                                    {"busybox:1.36", "docker.io"},
                                                    {"me/app", "docker.io"},
                                                    {"docker.io/library/busybox", "docker.io"},
                                                    {"index.docker.io/a/b", "docker.io"},
                                                    {"localhost/app", "localhost"},
                                                    {"127.0.0.1:5000/app:1", "127.0.0.1:5000"},
                                                    {"r.example/a/b@sha256:0123", "r.example"}};
  for (const auto& [reference, registry] : known) CHECK(registry_of(reference) == registry);
  CHECK(key_of("docker.io") == "https://index.docker.io/v1/");
  CHECK(key_of("r.example") == "r.example");
}

TEST_CASE("a login is found by its registry, however that is written", "[dotdocker][logins]") {
  const User user;
  user.config(R"({"auths": {"https://r.example:5000/v2/": {"auth": ")" + to_base64("ann:one") +
              R"("}, "https://index.docker.io/v1/": {"auth": ")" + to_base64("hub:two") + R"("}}})");
  CHECK(user.find("r.example:5000").login->password == "one");
  CHECK(user.find("docker.io").login->username == "hub");
  const auto none = user.find("other.example");
  CHECK_FALSE(none.login);
  CHECK(none.from == user.dir.path() / "home/.docker/config.json");
}

TEST_CASE("a registry's own helper goes before the store, and the store before the file",
          "[dotdocker][logins]") {
  const User user;
  user.config(R"({"auths": {"a.example": {"auth": ")" + to_base64("file:x") +
              R"("}}, "credsStore": "store", "credHelpers": {"b.example": "own"}})");
  user.helper("store",
              R"(read key; printf '{"ServerURL":"%s","Username":"store","Secret":"%s"}' "$key" "$1")");
  user.helper("own", R"(printf '{"Username":"<token>","Secret":"tok"}')");
  const auto stored = user.find("a.example");
  CHECK(stored.login->username == "store");
  CHECK(stored.login->password == "get");
  CHECK(stored.from == "docker-credential-store");
  const auto own = user.find("b.example");
  CHECK(own.login->identity_token == "tok");
  CHECK(own.login->username.empty());
}

TEST_CASE("a helper gets the registry's key on its input and the caller's environment",
          "[dotdocker][logins]") {
  User user;
  user.environment["WHO"] = "ann";
  user.config(R"({"credsStore": "echo"})");
  user.helper("echo", R"sh(printf '{"Username":"%s","Secret":"%s"}' "$WHO" "$(cat)")sh");
  CHECK(user.find("docker.io").login->password == "https://index.docker.io/v1/");
  CHECK(user.find("r.example").login->username == "ann");
}

TEST_CASE("a helper that has none, fails, is missing or hangs is told of as what it is",
          "[dotdocker][logins]") {
  const User user;
  user.config(
      R"({"credHelpers": {"none": "none", "bad": "bad", "odd": "odd", "hangs": "hangs", "gone": "gone"}})");
  user.helper("none", "echo 'credentials not found in native keychain'; exit 1");
  CHECK_FALSE(user.find("none").login);
  user.helper("bad", "echo 'the vault is locked' >&2; exit 3");
  CHECK(
      user.failure("bad") ==
      "cannot get the login to bad from docker-credential-bad: it ended with status 3: the vault is locked");
  user.helper("odd", "echo my-secret-word");
  const auto odd = user.failure("odd");
  CHECK(odd.find("not what a credential helper prints") != std::string::npos);
  CHECK(odd.find("my-secret-word") == std::string::npos);
  user.helper("hangs", "echo $$ > \"$HOME/pid\"; sleep 60");
  const auto begun = std::chrono::steady_clock::now();
  CHECK(user.failure("hangs", 300ms).find("it did not answer within 300ms and was ended") !=
        std::string::npos);
  CHECK(std::chrono::steady_clock::now() - begun < 10s);
  CHECK(user.failure("gone").find("there is no such program") != std::string::npos);
}

TEST_CASE("what a helper leaves behind does not hold its answer up", "[dotdocker][logins]") {
  const User user;
  user.config(R"({"credsStore": "agent"})");
  user.helper("agent", R"(sleep 3 & printf '{"Username":"u","Secret":"s"}')");
  const auto begun = std::chrono::steady_clock::now();
  CHECK(user.find("r.example").login->password == "s");
  CHECK(std::chrono::steady_clock::now() - begun < 2s);
}

TEST_CASE("the engine's header is the login in base64 for addresses", "[dotdocker][logins]") {
  const auto read = [](const std::string& header) {
    return nlohmann::json::parse(from_base64(header).value());
  };
  CHECK(read(auth_header({"ann", "\xff>", "", ""}, "r.example")).at("serveraddress") == "r.example");
  CHECK(auth_header({"ann", "\xfb\xff\xfe", "", ""}, "r").find_first_of("+/") == std::string::npos);
  const auto token = read(auth_header({"", "", "tok", ""}, "docker.io"));
  CHECK(token == nlohmann::json{{"identitytoken", "tok"}, {"serveraddress", "https://index.docker.io/v1/"}});
}
