#include "daemon/yaml/yaml.hpp"

#include <string>

#include "daemon/util/error.hpp"
#include "daemon/yaml/reader.hpp"
#include "tests/support/catch.hpp"

using namespace stackd;
using yaml::parse_yaml;
using yaml::Value;

namespace {

std::string mistake(const std::string& text) {
  try {
    parse_yaml(text, "f.yaml");
  } catch (const util::Error& error) {
    CHECK(error.kind() == util::ErrorKind::invalid_file);
    return error.what();
  }
  return "no error";
}

std::string text_at(const Value& value, std::initializer_list<const char*> path) {
  const Value* at = &value;
  for (const char* key : path) {
    at = at->find(key);
    if (!at) return "(not there)";
  }
  return at->text;
}

std::string keys(const Value& value) {
  std::string out;
  for (const auto& entry : value.entries) out += entry.key + " ";
  return out;
}

}  // namespace

TEST_CASE("a document keeps its order, its places and what was quoted", "[yaml]") {
  const Value document = parse_yaml("b: 1\na:\n  - x\n  - 'true'\nn: ~\nempty:\n", "f.yaml");
  CHECK(keys(document) == "b a n empty ");
  CHECK(document.entries[1].place.line == 2);
  CHECK(document.entries[1].place.column == 1);
  const Value& list = *document.find("a");
  CHECK(list.items[1].place.line == 4);
  CHECK(list.items[1].place.column == 5);
  CHECK(list.items[0].plain);
  CHECK_FALSE(list.items[1].plain);
  CHECK(document.find("n")->is_null());
  CHECK(document.find("empty")->is_null());
  CHECK(document.find("c") == nullptr);
}

TEST_CASE("anchors, aliases and merge keys are resolved", "[yaml]") {
  const Value document = parse_yaml(
      "x: &x {a: 1, b: 1}\n"
      "y: &y {b: 2, c: 2}\n"
      "one: {<<: *x, b: own}\n"
      "many:\n  first: 0\n  <<: [*x, *y]\n  c: own\n"
      "same: *x\n"
      "quoted: {'<<': 1}\n",
      "f.yaml");
  CHECK(text_at(document, {"one", "a"}) == "1");
  CHECK(text_at(document, {"one", "b"}) == "own");
  CHECK(text_at(document, {"many", "b"}) == "1");
  CHECK(text_at(document, {"many", "c"}) == "own");
  CHECK(keys(*document.find("many")) == "first a b c ");
  CHECK(text_at(document, {"same", "b"}) == "1");
  CHECK(text_at(document, {"quoted", "<<"}) == "1");
}

TEST_CASE("!reset and !override stay with their values", "[yaml]") {
  const Value document =
      parse_yaml("a: !reset null\nb: !override [x]\nc: !reset []\nd: !!str 12\ne: !reset\n", "f.yaml");
  CHECK(document.find("a")->tag == "!reset");
  CHECK(document.find("a")->is_null());
  CHECK(document.find("b")->tag == "!override");
  CHECK(document.find("c")->tag == "!reset");
  CHECK(document.find("d")->tag.empty());
  CHECK_FALSE(document.find("d")->plain);
  CHECK(document.find("e")->tag == "!reset");
  CHECK(mistake("a: !rest null\n") == "f.yaml:1:4: unknown tag '!rest', did you mean '!reset'?");
}

TEST_CASE("an empty document is null, whatever comments it has", "[yaml]") {
  CHECK(parse_yaml("", "f.yaml").is_null());
  CHECK(parse_yaml("# only a comment\n", "f.yaml").is_null());
  CHECK(parse_yaml("---\n", "f.yaml").is_null());
}

TEST_CASE("what is not YAML is refused with its place", "[yaml]") {
  CHECK(mistake("a: 1\nb: [1, 2\n").starts_with("f.yaml:3:1: not valid YAML: "));
  CHECK(mistake("a:\n\tb: 1\n").find("f.yaml:2:3: not valid YAML: a tab is not allowed") == 0);
  CHECK(mistake("a: 1\nb: \"open\n") == "f.yaml:2:4: not valid YAML: the quoted string is not closed");
  CHECK(mistake("- a\nb: 1\n") == "f.yaml:2:1: expected the end of the file, found another document");
  CHECK(mistake("a: 1\na: 2\n") == "f.yaml:2:1: duplicate key 'a', first given in line 1");
  CHECK(mistake("s:\n  a: 1\n  b: 2\n  a: 3\n") == "f.yaml:4:3: duplicate key 'a', first given in line 2");
  CHECK(mistake("a: *nothing\n").starts_with("f.yaml:1:4: not valid YAML: "));
  CHECK(mistake("a: &a [*a]\n").find("inside the very value") != std::string::npos);
  CHECK(mistake("? [a, b]\n: 1\n").find("expected a name as key") != std::string::npos);
  CHECK(mistake("a: {<<: 12}\n").find("<< takes a mapping") != std::string::npos);
  CHECK(mistake("a: 1\n---\nb: 2\n").find("another document") != std::string::npos);
  CHECK(mistake("a: \x04\n").find("f.yaml:1:4: a control character") == 0);
  CHECK(mistake("a: \xff\xfe\n").find("not UTF-8") != std::string::npos);
}

TEST_CASE("aliases that expand without end are refused", "[yaml]") {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += (j ? ", " : "") + before;
    text += "]\n";
  }
  CHECK(mistake(text).find("too large") != std::string::npos);
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "[";
  CHECK(mistake(deep).find("not valid YAML") != std::string::npos);
}

TEST_CASE("a Reader says what was expected and the nearest known key", "[yaml][reader]") {
  const Value document = parse_yaml(
      "imgae: x\nscale: many\nready: perhaps\ntimeout: 5 parsecs\nsize: 12q\nx-mine: {a: 1}\ncmd: {a: b}\n",
      "f.yaml");
  yaml::Problems problems;
  yaml::Reader reader(document, "service 'db'", problems);
  CHECK(reader.string("image", "none") == "none");
  CHECK_FALSE(reader.integer("scale"));
  CHECK(reader.boolean("ready", true));
  CHECK_FALSE(reader.duration("timeout"));
  CHECK_FALSE(reader.bytes("size"));
  CHECK(reader.strings("cmd").empty());
  reader.finish();
  REQUIRE(problems.lines().size() == 6);
  CHECK(problems.lines()[0] == "f.yaml:2:8: service 'db', 'scale': expected a whole number, found 'many'");
  CHECK(problems.lines()[1] == "f.yaml:3:8: service 'db', 'ready': expected true or false, found 'perhaps'");
  CHECK(problems.lines()[4].find("expected a string or a list of strings, found a mapping") !=
        std::string::npos);
  CHECK(problems.lines()[5] == "f.yaml:1:1: unknown key 'imgae' in service 'db', did you mean 'image'?");
  CHECK_THROWS_AS(problems.check(), util::Error);
}

TEST_CASE("a Reader reads sizes, durations, pairs and environments", "[yaml][reader]") {
  const Value document = parse_yaml(
      "a: 512m\nb: 1.5gb\nc: 64KiB\nd: 1024\ne: -1\nt: 1m30s\nbare: 5\nflag: 'yes'\n"
      "map: {A: 1, B: }\nlist: [A=1, B, C=x=y]\n",
      "f.yaml");
  yaml::Problems problems;
  yaml::Reader reader(document, "top", problems);
  CHECK(reader.bytes("a") == 512LL << 20);
  CHECK(reader.bytes("b") == 1536LL << 20);
  CHECK(reader.bytes("c") == 64LL << 10);
  CHECK(reader.bytes("d") == 1024);
  CHECK(reader.bytes("e") == -1);
  CHECK(reader.duration("t") == model::Milliseconds(90'000));
  CHECK(reader.duration("bare", model::Milliseconds(1000)) == model::Milliseconds(5000));
  CHECK(reader.maybe_boolean("flag") == true);
  CHECK(reader.environment("map") == model::Environment{{"A", "1"}, {"B", std::nullopt}});
  CHECK(reader.environment("list") == model::Environment{{"A", "1"}, {"B", std::nullopt}, {"C", "x=y"}});
  CHECK(reader.string_map("list").at("B").empty());
  reader.finish();
  CHECK(problems.lines().empty());
}

TEST_CASE("a file may have several documents, where they are asked for", "[yaml]") {
  const auto documents = yaml::parse_documents("a: 1\n---\nb: 2\n...\n---\nc: 3\n", "f.yaml");
  REQUIRE(documents.size() == 3);
  CHECK(documents[1].find("b")->text == "2");
  CHECK(documents[2].find("c")->place.line == 6);
  CHECK(yaml::parse_documents("", "f.yaml").size() == 1);
  CHECK(mistake("a: 1\n---\nb: 2\n").find("found another document") != std::string::npos);
}

TEST_CASE("a block of text that ends with the file gets no line end that it does not have", "[yaml]") {
  const auto last = [](const std::string& text) { return parse_yaml(text, "f.yaml").find("a")->text; };
  CHECK(last("a: |\n  one\n  two") == "one\ntwo");
  CHECK(last("a: |\n  one\n  two\n") == "one\ntwo\n");
  CHECK(last("a: >\n  one\n  two") == "one two");
  CHECK(last("a: |-\n  one\n") == "one");
  CHECK(last("a: one") == "one");
  CHECK(last("b: |\n  x\na: 'y'") == "y");
}

TEST_CASE("lines that end as on Windows, and a byte-order mark, are nothing special", "[yaml]") {
  const auto document = parse_yaml(
      "\xef\xbb\xbf"
      "a: |\r\n  one\r\n  two\r\nb: [x]\r\n",
      "f.yaml");
  CHECK(document.find("a")->text == "one\ntwo\n");
  CHECK(document.find("b")->items.at(0).text == "x");
}
