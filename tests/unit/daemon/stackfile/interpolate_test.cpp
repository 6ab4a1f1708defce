#include "daemon/stackfile/sources/interpolate.hpp"

#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"

using namespace stackd;

namespace {

const std::map<std::string, std::string> k_variables{
    {"A", "1"}, {"EMPTY", ""}, {"NAME", "web"}, {"DOLLAR", "$A"}};

std::optional<std::string> lookup(const std::string& name) {
  const auto found = k_variables.find(name);
  if (found == k_variables.end()) return std::nullopt;
  return found->second;
}

std::string text(const std::string& in) {
  return stackfile::interpolate(in, lookup, [](const std::string&) {});
}

std::string mistake(const std::string& in) {
  try {
    text(in);
  } catch (const util::Error& error) {
    return error.what();
  }
  return "none";
}

std::map<std::string, std::string> dotenv(const std::string& in, bool raw = false) {
  stackfile::Problems problems;
  auto values = stackfile::parse_dotenv(in, ".env", {lookup, nullptr, raw}, problems);
  CHECK(problems.lines().empty());
  return values;
}

}  // namespace

TEST_CASE("variables, defaults, replacements and escapes are Compose's", "[stackfile][interpolate]") {
  CHECK(text("$A-${A}") == "1-1");
  CHECK(text("${NOPE:-d}${EMPTY:-d}${EMPTY-d}${NOPE-d}") == "ddd");
  CHECK(text("${A:+r}${EMPTY:+r}${EMPTY+r}${NOPE+r}") == "rr");
  CHECK(text("${A:?must}${EMPTY?must}") == "1");
  CHECK(text("$$A $${A} $$$A") == "$A ${A} $1");
  CHECK(text("${NOPE:-${ALSO:-${NAME}-db}}") == "web-db");
  CHECK(text("${NOPE:-{\"a\": {}}}") == "{\"a\": {}}");
  CHECK(text("${NOPE}x$NOPE") == "x");
  CHECK(text("$DOLLAR") == "$A");
}

TEST_CASE("a dollar that begins no variable stays", "[stackfile][interpolate]") {
  CHECK(text("costs $5, $(date) and a$") == "costs $5, $(date) and a$");
  CHECK(text("no dollar") == "no dollar");
}

TEST_CASE("a name with a dot is left for stackd", "[stackfile][interpolate]") {
  CHECK(text("http://localhost:${services.db.host_port}/$A") ==
        "http://localhost:${services.db.host_port}/1");
  CHECK(text("${services.my-db.ports.admin} ${worktree.id}") ==
        "${services.my-db.ports.admin} ${worktree.id}");
}

TEST_CASE("what is no interpolation is refused", "[stackfile][interpolate]") {
  CHECK(mistake("${A").find("is not closed") != std::string::npos);
  CHECK(mistake("${}").find("a variable's name is expected") != std::string::npos);
  CHECK(mistake("${1A}").find("a variable's name is expected") != std::string::npos);
  CHECK(mistake("${A!x}").find("one of :- - :? ? :+ +") != std::string::npos);
  CHECK(mistake("${A:}").find("one of :- - :? ? :+ +") != std::string::npos);
  CHECK(mistake("${NOPE:?set it, ${NAME}}") == "the required variable 'NOPE' is not set: set it, web");
  CHECK(mistake("${EMPTY:?}") == "the required variable 'EMPTY' is not set");
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "${N:-";
  CHECK(mistake(deep + std::string(1000, '}')).find("nested too deeply") != std::string::npos);
}

TEST_CASE("a tree is interpolated in its values, with one warning for each unset variable",
          "[stackfile][interpolate]") {
  auto tree = stackfile::parse_yaml("$A: [$A, {k: '${NOPE}$NOPE'}]\nbad: ${A\n", "f.yaml");
  stackfile::Problems problems;
  std::vector<std::string> warnings;
  stackfile::Interpolator(lookup, problems, warnings).apply(tree);
  CHECK(tree.entries[0].key == "$A");
  CHECK(tree.entries[0].value.items[0].text == "1");
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0] == "f.yaml:1: the variable 'NOPE' is not set, an empty string stands for it");
  REQUIRE(problems.lines().size() == 1);
  CHECK(problems.lines()[0].starts_with("f.yaml:2:6: cannot interpolate '${A'"));
}

TEST_CASE(".env: names, comments, quotes and export", "[stackfile][dotenv]") {
  const auto values = dotenv(
      "# comment\n"
      "PLAIN=value # comment\n"
      "HASH=a#b\n"
      "export EXPORTED = x\n"
      "YAML: style\n"
      "EMPTY=\n"
      "SINGLE='$A # as it is\\n'\n"
      "DOUBLE=\"a\\tb \\\"q\\\" $A \\$A\"   # after\n"
      "MANY=\"one\n  two\"\n"
      "a.b-c=dots\r\n"
      "LAST=$PLAIN-${A}-${NO:-d}");
  CHECK(values.at("PLAIN") == "value");
  CHECK(values.at("HASH") == "a#b");
  CHECK(values.at("EXPORTED") == "x");
  CHECK(values.at("YAML") == "style");
  CHECK(values.at("EMPTY").empty());
  CHECK(values.at("SINGLE") == "$A # as it is\\n");
  CHECK(values.at("DOUBLE") == "a\tb \"q\" 1 $A");
  CHECK(values.at("MANY") == "one\n  two");
  CHECK(values.at("a.b-c") == "dots");
  CHECK(values.at("LAST") == "value-1-d");
}

TEST_CASE(".env: a bare name is the caller's, and the caller wins inside values", "[stackfile][dotenv]") {
  const auto values = dotenv("NAME\nUNKNOWN\nA=own\nB=$A\n");
  CHECK(values.at("NAME") == "web");
  CHECK(values.count("UNKNOWN") == 0);
  CHECK(values.at("A") == "own");
  CHECK(values.at("B") == "1");
  CHECK(dotenv("A='$B' # c\n", true).at("A") == "'$B' # c");
}

TEST_CASE(".env: rule by rule, as Compose reads it", "[stackfile][dotenv]") {
  struct Row {
    const char* sentence;
    std::string text;
    std::map<std::string, std::string> values;
  };
  const std::vector<Row> rows{
      {"a # without a blank before it is part of the value", "A=a#b\nB=#c\n", {{"A", "a#b"}, {"B", "#c"}}},
      {"one with a blank begins a comment", "A=a #b\nB=a# b\n", {{"A", "a"}, {"B", "a# b"}}},
      {"after the = a blank is nothing, so no comment begins", "A= # c\n", {{"A", "# c"}}},
      {"in single quotes only a quote is escaped", R"(A='it\'s \n $B')", {{"A", R"(it's \n $B)"}}},
      {"in double quotes the usual escapes are", R"(A="a\tb\"c\\d\qe")", {{"A", "a\tb\"c\\d\\qe"}}},
      {"octal ones have a zero and three digits",
       R"(A="\0101\0303\012x\0400")",
       {{"A", "A\xc3\x83\\12x\\400"}}},
      {"a dollar is escaped in double quotes", R"(A="\$B")", {{"A", "$B"}}},
      {"a value in quotes has several lines", "A='x\n y'\nB=1\n", {{"A", "x\n y"}, {"B", "1"}}},
      {"what follows the closing quote is the next entry", "A='x' B=2 # c\n", {{"A", "x"}, {"B", "2"}}},
      {"export is left out, and a colon does as =", "export A=1\nB: 2\n", {{"A", "1"}, {"B", "2"}}},
      {"lines may end as on Windows", "A=1\r\nB='2'\r\n", {{"A", "1"}, {"B", "2"}}},
      {"a byte-order mark is nothing",
       "\xef\xbb\xbf"
       "A=1\n",
       {{"A", "1"}}},
      {"names are of any letters, with . - [ ]", "Ü.a-b[0]=1\n", {{"Ü.a-b[0]", "1"}}},
  };
  for (const auto& row : rows) {
    INFO(row.sentence << ": " << row.text);
    CHECK(dotenv(row.text) == row.values);
  }
}

TEST_CASE(".env: a later file sees what an earlier one gave", "[stackfile][dotenv]") {
  stackfile::Problems problems;
  const std::map<std::string, std::string> earlier{{"A", "first"}};
  const auto nothing = [](const std::string&) { return std::nullopt; };
  CHECK(stackfile::parse_dotenv("B=$A-${C:-c}\n", ".env", {nothing, &earlier}, problems) ==
        std::map<std::string, std::string>{{"B", "first-c"}});
}

TEST_CASE(".env: mistakes have file and line", "[stackfile][dotenv]") {
  const auto mistakes = [](const std::string& in) {
    stackfile::Problems problems;
    stackfile::parse_dotenv(in, ".env", {lookup}, problems);
    return problems.lines();
  };
  CHECK(mistakes("A=1\nthis is not a variable\nB=2\n") ==
        std::vector<std::string>{".env:2:1: expected NAME=value, found 'this is not a variable'"});
  CHECK(mistakes("A=\"open\nB=1\n") ==
        std::vector<std::string>{".env:1:1: the quote after 'A=' is not closed"});
  CHECK(mistakes("A=1\nB C=2\n") == std::vector<std::string>{".env:2:1: expected NAME=value, found 'B C=2'"});
  CHECK(mistakes("\nA=${B\n").at(0).starts_with(".env:2:1: cannot interpolate"));
}

TEST_CASE(".env: lines that hold the one before them twice are refused before they take all memory",
          "[stackfile][dotenv]") {
  const auto first_mistake = [](const std::string& in) {
    stackfile::Problems problems;
    stackfile::parse_dotenv(in, ".env", {lookup}, problems);
    return problems.any() ? problems.lines()[0] : "none";
  };
  std::string doubled = "V0=0123456789\n", repeated = "V=" + std::string(1000, 'x') + "\n";
  for (int i = 1; i < 60; ++i) {
    const auto before = std::to_string(i - 1);
    doubled += "V" + std::to_string(i) + "=$V" + before + "$V" + before + "\n";
  }
  CHECK(first_mistake(doubled).starts_with(
      ".env:18:1: cannot interpolate '$V16$V16': with its variables it is longer"));
  // Each fits, all of them do not.
  std::string long_value;
  for (int i = 0; i < 1000; ++i) long_value += "$V";
  for (int i = 0; i < 20; ++i) repeated += "W" + std::to_string(i) + "=" + long_value + "\n";
  CHECK(first_mistake(repeated) == ".env:18:1: the values are too long once their variables are expanded");
}

TEST_CASE("a document whose variables make it too large has one mistake", "[stackfile][interpolate]") {
  const stackfile::Lookup large = [](const std::string&) { return std::string(1'000'000, 'x'); };
  std::string list;
  for (int i = 0; i < 200; ++i) list += "- $A\n";
  auto tree = stackfile::parse_yaml(list, "f.yaml");
  stackfile::Problems problems;
  std::vector<std::string> warnings;
  stackfile::Interpolator(large, problems, warnings).apply(tree);
  REQUIRE(problems.lines().size() == 1);
  CHECK(problems.lines()[0] == "f.yaml:68:3: the document is too large once its variables are expanded");
}
