#include "daemon/resolve/env_text.hpp"

#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"

using namespace stackd;
using namespace stackd::resolve;
using model::Environment;

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

// What parse_env_output says of a text that it cannot use.
std::string refusal(const std::string& text, const std::string& format) {
  try {
    parse_env_output(text, format, "output of 'op'");
  } catch (const util::Error& error) {
    CHECK(error.kind() == util::ErrorKind::invalid_file);
    return error.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("L6.4: names, quotes and escapes of an env file", "[resolve][env_text]") {
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

TEST_CASE("L6.4: each mistake of an env file has its line", "[resolve][env_text]") {
  CHECK(mistakes("A=1\nnothing\n=x\nA B=1\nC=\"open\nD='x' y\n") ==
        ".env:2: expected NAME=value, found 'nothing'\n"
        ".env:3: a name is missing before '='\n"
        ".env:4: 'A B' is not a variable's name: it has a blank in it\n"
        ".env:5: the quoted value of C is not closed on this line\n"
        ".env:6: there is text after the closing quote of D\n");
  CHECK(mistakes("A='x' # no comment here\n").find(".env:1: there is text") == 0);
}

TEST_CASE("L6.4a: a command's output is read leniently", "[resolve][env_text]") {
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

TEST_CASE("L6.4a: JSON is one flat object", "[resolve][env_text]") {
  const auto env = parse_env_output(R"({"A": "x", "B": 5, "C": true, "D": 1.5})", "json", "output");
  CHECK(value(env, "A") == "x");
  CHECK(value(env, "B") == "5");
  CHECK(value(env, "C") == "true");
  CHECK(value(env, "D") == "1.5");
  const std::string flat = "cannot read output of 'op': expected one flat JSON object";
  const std::string scalar = "cannot read output of 'op': 'A' is neither a string nor a number nor a boolean";
  CHECK(refusal("[1]", "json") == flat);
  CHECK(refusal("nonsense", "json") == flat);
  CHECK(refusal("", "json") == flat);
  CHECK(refusal(R"({"A": {"b": 1}})", "json") == scalar);
  CHECK(refusal(R"({"A": null})", "json") == scalar);
  CHECK(refusal(R"({"A": [1]})", "json") == scalar);
}

TEST_CASE("L6.4: a file of another system, with CR and a mark at its beginning, says the same",
          "[resolve][env_text]") {
  const auto env = parse_env_file(
      "\xef\xbb\xbf"
      "A=1\r\nB='2'\r\n",
      ".env");
  CHECK(env == Environment{{"A", "1"}, {"B", "2"}});
  CHECK(parse_env_output("A=1\r\nB='2'\r\n", "dotenv", "output") == env);
}

TEST_CASE("where each variable of an env file was set last is told", "[resolve][env_text]") {
  std::map<std::string, int> lines;
  parse_env_file("A=1\n\n# B=0\nB=2\nA=3\n", ".env", &lines);
  CHECK(lines == std::map<std::string, int>{{"A", 5}, {"B", 4}});
}

TEST_CASE("what is not UTF-8 is refused by name: what is stored and shown could not hold it",
          "[resolve][env_text]") {
  CHECK(mistakes("A=1\nB=\xe4x\n# \xe4\nC='\xe4'\n") ==
        ".env:2: the value of B is not UTF-8 text\n.env:4: the value of C is not UTF-8 text\n");
  CHECK(refusal("A=1\nB=\xe4x\n", "dotenv") ==
        "cannot read output of 'op': the value of B is not UTF-8 text");
  CHECK(refusal("{\"A\": \"\xe4x\"}", "json") == "cannot read output of 'op': expected one flat JSON object");
  CHECK(refusal("\xe4 is no variable\nA=\xc3\xa4\n", "dotenv") == "none");
}
