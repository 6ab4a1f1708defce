#include "daemon/images/builder/context_walk.hpp"

#include <sys/stat.h>

#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;
using namespace stackd::builder;

namespace {

struct Tree {
  test::TempDir dir;
  Tree() {
    for (const auto* name : {"a.txt", "a/one", "a/two", "b/deep/x.log", "b/deep/y", "c"})
      dir.write(name, name);
    std::filesystem::create_symlink("b/deep", dir.path() / "link");
    std::filesystem::create_symlink("nowhere", dir.path() / "broken");
  }
  std::vector<std::string> walk(const WalkOptions& options) const {
    std::vector<std::string> paths;
    for (const auto& file : walk_context(dir.path().string(), options)) paths.push_back(file.path);
    return paths;
  }
};

using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("a context is walked by names, what is in a directory right after it", "[builder][walk]") {
  const Tree tree;
  CHECK(tree.walk({}) == Paths{"a", "a/one", "a/two", "a.txt", "b", "b/deep", "b/deep/x.log", "b/deep/y",
                               "broken", "c", "link"});
  const auto files = walk_context(tree.dir.path().string(), {});
  CHECK(S_ISDIR(files[0].mode));
  CHECK(files[1].size == 5);
  CHECK(files.back().link == "b/deep");
}

TEST_CASE("what a .dockerignore excludes is left out, and exceptions bring their directories",
          "[builder][walk]") {
  const Tree tree;
  CHECK(tree.walk({{}, {}, {"b", "*.txt"}}) == Paths{"a", "a/one", "a/two", "broken", "c", "link"});
  CHECK(tree.walk({{}, {}, {"*", "!b/deep/y"}}) == Paths{"b", "b/deep", "b/deep/y"});
  CHECK(tree.walk({{}, {}, {"**/*.log", "a"}}) ==
        Paths{"a.txt", "b", "b/deep", "b/deep/y", "broken", "c", "link"});
}

TEST_CASE("only what is included is there, with the directories that lead to it", "[builder][walk]") {
  const Tree tree;
  CHECK(tree.walk({{"a/two", "c"}, {}, {}}) == Paths{"a", "a/two", "c"});
  CHECK(tree.walk({{"b"}, {}, {}}) == Paths{"b", "b/deep", "b/deep/x.log", "b/deep/y"});
  CHECK(tree.walk({{"b/*/*.log"}, {}, {}}) == Paths{"b", "b/deep", "b/deep/x.log"});
  CHECK(tree.walk({{"missing"}, {}, {}}).empty());
}

TEST_CASE("paths that are followed take along where their links lead", "[builder][walk]") {
  const Tree tree;
  CHECK(tree.walk({{}, {"link/y"}, {}}) == Paths{"b", "b/deep", "b/deep/y", "link"});
  CHECK(tree.walk({{}, {"a/o*"}, {}}) == Paths{"a", "a/one"});
  CHECK(tree.walk({{}, {"."}, {}}).size() == 11);
  CHECK(tree.walk({{}, {"broken"}, {}}) == Paths{"broken"});
  std::filesystem::create_symlink("loop", tree.dir.path() / "loop");
  CHECK(tree.walk({{}, {"loop"}, {}}) == Paths{"loop"});
}

TEST_CASE("a context that is no directory is refused by its path", "[builder][walk]") {
  const Tree tree;
  CHECK_THROWS_AS(walk_context((tree.dir.path() / "c").string(), {}), util::Error);
  CHECK_THROWS_AS(walk_context((tree.dir.path() / "gone").string(), {}), util::Error);
}
