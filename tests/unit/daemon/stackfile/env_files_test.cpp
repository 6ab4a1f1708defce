#include <string>

#include "daemon/stackfile/decode/worktree.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;
using model::Environment;

using test::Loading;

namespace {

std::string value(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "(not there)" : found->second.value_or("(null)");
}

std::string lich(const std::string& lines) {
  return "version: \"1\"\nowned: {api: {cmd: run}}\n" + lines;
}

}  // namespace

TEST_CASE("L6.3: a reference of an env file that leads nowhere is told with the file's line",
          "[stackfile][env_files]") {
  Loading loading(lich("env_files: [more.env]\n"), "lich.yaml");
  loading.directory.write("more.env", "A=1\nB=\"${owned.nope.port}\"\n");
  CHECK(loading.mistakes() ==
        "more.env:2:1: ${owned.nope.port} is not known: there is no owned service 'nope', expected one of "
        "api\n");
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
