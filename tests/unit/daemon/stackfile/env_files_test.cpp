#include <string>

#include "daemon/resolve/env_text.hpp"
#include "daemon/stackfile/worktree.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;
using namespace stackd::resolve;
using model::Environment;

using test::Loading;

namespace {

std::string value(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "(not there)" : found->second.value_or("(null)");
}

std::string mistakes(const std::string& text) {
  try {
    parse_env_file(text, ".env");
  } catch (const util::Error& error) {
    CHECK(error.kind() == util::ErrorKind::invalid_file);
    std::string all;
    for (const auto& line : error.details()) all += line + "\n";
    return all;
  }
  return "none";
}

std::string lich(const std::string& lines) {
  return "version: \"1\"\nowned: {api: {cmd: run}}\n" + lines;
}

}  // namespace

TEST_CASE("L6.4: names, quotes and escapes of an env file", "[stackfile][env_files]") {
  const auto env = parse_env_file(
      "# comment\n\n  A=1\nexport B = two words  \r\nC='lit $x \\n'\nD=\"a\\tb\\n\\\"q\\\" \\\\ \\$ "
      "\\x\"\nE=\nF=  \n"
      "G=a # b\nH=x=y\nA=later\nI='' \n",
      ".env");
  CHECK(value(env, "A") == "later");
  CHECK(value(env, "B") == "two words");
  CHECK(value(env, "C") == "lit $x \\n");
  CHECK(value(env, "D") == "a\tb\n\"q\" \\ \\$ \\x");
  CHECK(value(env, "E").empty());
  CHECK(value(env, "F").empty());
  CHECK(value(env, "G") == "a # b");
  CHECK(value(env, "H") == "x=y");
  CHECK(value(env, "I").empty());
  CHECK(env.size() == 9);
}

TEST_CASE("L6.3: a reference of an env file that leads nowhere is told with the file's line",
          "[stackfile][env_files]") {
  Loading loading(lich("env_files: [more.env]\n"), "lich.yaml");
  loading.directory.write("more.env", "A=1\nB=\"${owned.nope.port}\"\n");
  CHECK(loading.mistakes() ==
        "more.env:2:1: ${owned.nope.port} is not known: there is no owned service 'nope', expected one of "
        "api\n");
}

TEST_CASE("L6.4: each mistake of an env file has its line", "[stackfile][env_files]") {
  CHECK(mistakes("A=1\nnothing\n=x\nA B=1\nC=\"open\nD='x' y\n") ==
        ".env:2: expected NAME=value, found 'nothing'\n"
        ".env:3: a name is missing before '='\n"
        ".env:4: 'A B' is not a variable's name: it has a blank in it\n"
        ".env:5: the quoted value of C is not closed on this line\n"
        ".env:6: there is text after the closing quote of D\n");
  CHECK(mistakes("A='x' # no comment here\n").find(".env:1: there is text") == 0);
}

TEST_CASE("L6.4a: a command's output is read leniently", "[stackfile][env_files]") {
  const auto env = parse_env_output(
      "nothing\n=x\nexport A=1 # gone\nB='open\nC=\"a\\$b\\n\" tail\nD=x#y\n  E  =  z  \n#F=1\n", "dotenv",
      "output");
  CHECK(value(env, "A") == "1");
  CHECK(value(env, "B") == "open");
  CHECK(value(env, "C") == "a$b\n");
  CHECK(value(env, "D") == "x#y");
  CHECK(value(env, "E") == "z");
  CHECK(env.size() == 5);
}

TEST_CASE("L6.4a: JSON is one flat object", "[stackfile][env_files]") {
  const auto env = parse_env_output(R"({"A": "x", "B": 5, "C": true, "D": 1.5})", "json", "output");
  CHECK(value(env, "A") == "x");
  CHECK(value(env, "B") == "5");
  CHECK(value(env, "C") == "true");
  CHECK(value(env, "D") == "1.5");
  for (const char* text : {"[1]", "nonsense", R"({"A": {"b": 1}})", R"({"A": null})", R"({"A": [1]})"}) {
    INFO(text);
    CHECK_THROWS_AS(parse_env_output(text, "json", "output of 'op'"), util::Error);
  }
}

TEST_CASE("L6.4: env_files are read in order, missing ones are skipped, mistakes keep their line",
          "[stackfile][env_files]") {
  Loading loading(lich("env_files: [.env, .env.local, absent]\n"), "lich.yaml");
  loading.directory.write(".env", "A=1\nB=1\n");
  loading.directory.write(".env.local", "B=2\n");
  const auto spec = loading.load();
  CHECK(value(spec.env.file_env, "A") == "1");
  CHECK(value(spec.env.file_env, "B") == "2");
  loading.directory.write(".env.local", "B=2\nbroken\n");
  CHECK(loading.mistakes() == ".env.local:2: expected NAME=value, found 'broken'\n");
}

TEST_CASE("L6.4: a file that this worktree lacks is taken from the main one, but not for a profile",
          "[stackfile][env_files]") {
  test::TempDir repository;
  repository.write("main/.git/HEAD", "ref: refs/heads/main\n");
  repository.write("main/.git/worktrees/feature/commondir", "../..\n");
  repository.write("main/app/.env", "A=main\nB=main\n");
  const auto root = repository.path().string();
  repository.write("feature/.git", "gitdir: " + root + "/main/.git/worktrees/feature\n");
  repository.write("feature/app/.env.local", "B=feature\n");
  repository.write("feature/app/lich.yaml", lich("env_files: [.env, .env.local]\n"
                                                 "profiles: {dev: {owned: [api], env_files: [.env]}}\n"));
  CHECK(stackfile::main_worktree(root + "/feature/app") == root + "/main/app");
  CHECK(stackfile::main_worktree(root + "/feature") == root + "/main");
  CHECK(stackfile::main_worktree(root + "/main/app").empty());

  stackfile::LoadRequest request;
  request.directory = root + "/feature/app";
  const auto spec = stackfile::load(request);
  CHECK(value(spec.env.file_env, "A") == "main");
  CHECK(value(spec.env.file_env, "B") == "feature");
  CHECK(spec.profile_env.file_env.empty());
  CHECK(spec.worktree_main == root + "/main/app");
}

TEST_CASE("a submodule and a plain directory are no worktrees", "[stackfile][env_files]") {
  test::TempDir directory;
  directory.write("super/.git/modules/sub/HEAD", "x\n");
  directory.write("super/sub/.git", "gitdir: ../.git/modules/sub\n");
  CHECK(stackfile::main_worktree(directory.path().string() + "/super/sub").empty());
}

TEST_CASE("L6.5, X15: env_from has commands and names of the caller's variables", "[stackfile][env_files]") {
  Loading loading(
      lich("env_from:\n  - GITHUB_TOKEN\n  - {cmd: op inject, format: json, cwd: sub}\n  - {cmd: vault}\n"),
      "lich.yaml");
  const auto spec = loading.load();
  REQUIRE(spec.env.from.size() == 3);
  CHECK(spec.env.from[0].variable == "GITHUB_TOKEN");
  CHECK(spec.env.from[0].cmd.empty());
  CHECK(spec.env.from[1].format == "json");
  CHECK(spec.env.from[1].cwd == loading.path("sub"));
  CHECK(spec.env.from[1].place.line == 5);
  CHECK(spec.env.from[2].format == "dotenv");
  CHECK(spec.env.from[2].cwd == loading.directory.path().string());

  CHECK(Loading(lich("env_from: ['op inject -i x']\n"), "lich.yaml")
            .mistakes()
            .find("a command is written as {cmd: …}") != std::string::npos);
  CHECK(Loading(lich("env_from: [{cmd: x, format: yaml}]\n"), "lich.yaml")
            .mistakes()
            .find("expected dotenv or json") != std::string::npos);
  CHECK(Loading(lich("env_from: [{format: json}]\n"), "lich.yaml").mistakes().find("a command is missing") !=
        std::string::npos);
}
