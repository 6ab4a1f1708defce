#include "daemon/stackfile/findings.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;

TEST_CASE("a mistake is told with its file, its line, where it begins and where it ends",
          "[stackfile][findings]") {
  const std::string text =
      "services:\n  web:\n    imgae: nginx\n    restart: \"some times\"  # no\n    cap_add: [one, two]\n";
  struct Row {
    std::string line;
    int number, column, end;
    std::string message, suggestion;
  };
  const std::vector<Row> rows{
      {"a.yaml:3:5: unknown key 'imgae', did you mean 'image'?", 3, 5, 10,
       "unknown key 'imgae', did you mean 'image'?", "image"},
      {"a.yaml:4:14: expected no: always", 4, 14, 26, "expected no: always", ""},
      {"a.yaml:5:15: x", 5, 15, 18, "x", ""},
      {"a.yaml:5:20: x", 5, 20, 23, "x", ""},
      {"a.yaml:99:1: x", 99, 1, 2, "x", ""},
      {"cannot find it: no", 0, 0, 0, "cannot find it: no", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.line);
    const auto found =
        stackfile::findings({row.line}, "error", [&](const std::string&) { return text; }).front();
    CHECK(found.file == (row.number ? "a.yaml" : ""));
    CHECK(found.line == row.number);
    CHECK(found.column == row.column);
    CHECK(found.end == row.end);
    CHECK(found.message == row.message);
    CHECK(found.suggestion == row.suggestion);
    CHECK(found.severity == "error");
  }
}

TEST_CASE("what an editor has of a file is read instead of the disk's", "[stackfile][findings]") {
  test::Loading loading(test::one_service("    hostname: disk\n"));
  loading.request.files = {loading.path("compose.yaml")};
  loading.request.buffers[loading.path("compose.yaml")] = test::one_service("    hostname: buffer\n");
  CHECK(loading.load().find("web")->container->hostname == "buffer");
  loading.request.files = {loading.path("stackd.new.yaml")};
  CHECK(loading.mistakes() != "loaded");
  loading.request.buffers[loading.path("stackd.new.yaml")] = test::one_service("    restart: sometimes\n");
  CHECK(loading.mistakes().find("stackd.new.yaml:4:14: ") == 0);
}
