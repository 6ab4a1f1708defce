#include "client/cli/completion.hpp"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "client/cli/cli.hpp"
#include "client/cli/compose_words.hpp"
#include "client/cli/help.hpp"
#include "client/text.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd::client;

namespace {

// What bash would offer for the last of `words`.
std::vector<std::string> offered(const std::vector<std::string>& words) {
  stackd::test::TempDir directory;
  std::string file = (directory.path() / "completion.bash").string();
  std::ofstream(file) << completion_script("bash", all_commands());
  std::string quoted;
  for (const auto& word : words) quoted += " " + shell_quote(word);
  std::string script = ". " + shell_quote(file) + "; COMP_WORDS=(stackctl" + quoted +
                       "); COMP_CWORD=" + std::to_string(words.size()) +
                       "; _stackctl; printf '%s\\n' \"${COMPREPLY[@]}\"";
  std::string command = "bash -euc " + shell_quote(script);
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe);
  std::string text;
  char buffer[4096];
  for (std::size_t got; (got = ::fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, got);
  REQUIRE(::pclose(pipe) == 0);
  auto lines = lines_of(text);
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace

TEST_CASE("bash offers commands, options, and the values that an option takes", "[client]") {
  CHECK(offered({"st"}) == std::vector<std::string>{"start", "stats", "status", "stop"});
  CHECK(offered({"-C", "/tmp", "ho"}) == std::vector<std::string>{"hooks"});
  CHECK(offered({"up", "--re"}) ==
        std::vector<std::string>{"--rebuild", "--remove-orphans", "--renew-anon-volumes", "--rerun-hooks"});
  CHECK(offered({"up", "--pull", ""}) ==
        std::vector<std::string>{"always", "build", "missing", "never", "policy"});
  CHECK(offered({"--project", "shop", "down", "--rmi", "l"}) == std::vector<std::string>{"local"});
  CHECK(offered({"daemon", "st"}) == std::vector<std::string>{"start", "status", "stop"});
  CHECK(offered({"up", "--build", "--re"}) ==
        std::vector<std::string>{"--rebuild", "--remove-orphans", "--renew-anon-volumes", "--rerun-hooks"});
  CHECK(offered({"exec", "--no-w"}) == std::vector<std::string>{"--no-wait"});
  CHECK(offered({"completion", "f"}) == std::vector<std::string>{"fish"});
}

TEST_CASE("every command and every long option is in every shell's script", "[client]") {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    std::string script = completion_script(shell, all_commands());
    INFO(shell);
    for (const auto& command : all_commands()) {
      CHECK(script.find(command.name) != std::string::npos);
      for (const auto& option : command.options)
        for (const auto& name : option.names)
          CHECK(script.find(name.substr(0, 2) == "--" ? name.substr(2) : name.substr(1)) !=
                std::string::npos);
    }
  }
  CHECK(completion_script("csh", all_commands()).empty());
}

TEST_CASE("every command takes the options that all take", "[client]") {
  for (const auto& command : all_commands()) {
    INFO(command.name);
    for (const std::string wanted : {"--json", "--host", "-C", "--file", "-p", "--help"})
      CHECK(std::any_of(command.options.begin(), command.options.end(), [&](const OptionWords& option) {
        return std::find(option.names.begin(), option.names.end(), wanted) != option.names.end();
      }));
  }
}

TEST_CASE("what Docker Compose has and stackctl has not is answered by what does it here", "[client]") {
  CHECK(same_verb("convert") == "config");
  CHECK(same_verb("up") == "up");
  CHECK(instead_of_verb("publish") == "Docker Compose has it, nothing here does that");
  CHECK(instead_of_verb("stauts").empty());
  CHECK_FALSE(instead_of_option("up", "--watch").empty());
  CHECK(instead_of_option("down", "--watch").empty());
}

TEST_CASE("every command has its group in the help, an example and a page that has all its options",
          "[client]") {
  for (const auto& command : all_commands()) {
    INFO(command.name);
    CHECK_NOTHROW(group_of(command.name));
    CHECK_FALSE(examples_of(command.name).empty());
    const auto page = man_page(command);
    for (const auto& option : command.options)
      for (const auto& name : option.names) {
        std::string written;
        for (const char c : name) written += c == '-' ? std::string("\\-") : std::string(1, c);
        CHECK((option.description.empty() || page.find(written) != std::string::npos));
      }
  }
}

TEST_CASE("an option is never taken for its opposite", "[client]") {
  CHECK(are_opposites("--build", "--no-build"));
  CHECK(are_opposites("--no-deps", "--deps"));
  CHECK_FALSE(are_opposites("--build", "--rebuild"));
  CHECK_FALSE(are_opposites("--no-deps", "--no-dep"));
}

TEST_CASE("nothing that there is, is told to be missing", "[client]") {
  for (const auto& command : all_commands()) {
    INFO(command.name);
    CHECK(instead_of_verb(command.name).empty());
    for (const auto& option : command.options)
      for (const auto& name : option.names) CHECK(instead_of_option(command.name, name).empty());
  }
}
