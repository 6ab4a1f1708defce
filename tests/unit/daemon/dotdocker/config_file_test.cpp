#include "daemon/dotdocker/config_file.hpp"

#include "daemon/dotdocker/base64.hpp"
#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;
using namespace stackd::dotdocker;

TEST_CASE("base64 is there and back, in both alphabets, with padding or without", "[dotdocker][base64]") {
  const std::pair<std::string, std::string> known[]{
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : known) {
    CHECK(to_base64(bytes) == text);
    CHECK(from_base64(text) == bytes);
  }
  CHECK(to_base64("\xfb\xff\xfe") == "+//+");
  CHECK(to_base64("\xfb\xff\xfe", Alphabet::url) == "-__-");
  CHECK(from_base64("-__-") == from_base64("+//+"));
  CHECK(from_base64("Zg") == "f");
  CHECK_FALSE(from_base64("Z"));
  CHECK_FALSE(from_base64("Zm 9v"));
}

TEST_CASE("config.json is where DOCKER_CONFIG says, else in the caller's home", "[dotdocker]") {
  CHECK(directory_of({{"HOME", "/home/ann"}, {"DOCKER_CONFIG", "/etc/d"}}) == "/etc/d");
  CHECK(directory_of({{"HOME", "/home/ann"}, {"DOCKER_CONFIG", ""}}) == "/home/ann/.docker");
  CHECK(directory_of({}).empty());
}

TEST_CASE("a config.json gives its logins, helpers, context and proxies", "[dotdocker]") {
  const auto config = parse("/c.json", R"({
    "auths": {"one.example": {"auth": ")" + to_base64("ann:se:cret") +
                                           R"("},
              "two.example": {"identitytoken": "tok", "auth": ")" +
                                           to_base64("ann:") + R"("},
              "three.example": {}, "odd": 7},
    "credsStore": "pass", "credHelpers": {"four.example": "own"},
    "currentContext": "rootless",
    "proxies": {"default": {"httpProxy": "http://p:1", "noProxy": "a,b"}}, "psFormat": "x"})");
  CHECK(config.there);
  CHECK(config.auths.at("one.example").username == "ann");
  CHECK(config.auths.at("one.example").password == "se:cret");
  CHECK(config.auths.at("two.example").identity_token == "tok");
  CHECK_FALSE(config.auths.at("three.example").any());
  CHECK_FALSE(config.auths.contains("odd"));
  CHECK(config.creds_store == "pass");
  CHECK(config.cred_helpers.at("four.example") == "own");
  CHECK(config.current_context == "rootless");
  CHECK(config.proxies.at("default").http == "http://p:1");
  CHECK(config.proxies.at("default").none == "a,b");
}

TEST_CASE("a config.json that is none is refused by its path, without its text", "[dotdocker]") {
  const test::TempDir home;
  home.write(".docker/config.json", R"({"auths": {"a": {"auth": "c2VjcmV0")");
  try {
    load({{"HOME", home.path().string()}});
    FAIL("it was taken");
  } catch (const util::Error& e) {
    CHECK(e.kind() == util::ErrorKind::invalid_file);
    const std::string what = e.what();
    CHECK(what.find("/.docker/config.json") != std::string::npos);
    CHECK(what.find("c2Vj") == std::string::npos);
  }
  CHECK_FALSE(load({{"HOME", (home.path() / "other").string()}}).there);
}
