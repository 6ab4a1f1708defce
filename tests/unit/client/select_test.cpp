#include "client/select.hpp"

#include "client/error.hpp"
#include "tests/support/catch.hpp"

using namespace stackd;
using namespace stackd::client;

namespace {

proto::Stack stack(const std::string& id, const std::string& name, const std::string& directory,
                   const std::string& status = "up", std::vector<std::string> files = {}) {
  proto::Stack s;
  s.id = id, s.name = name, s.directory = directory, s.status = status, s.files = std::move(files);
  return s;
}

const std::vector<proto::Stack> k_stacks{stack("shop-1", "shop", "/home/ann/shop"),
                                         stack("api-1", "api", "/home/ann/shop/api"),
                                         stack("shop-2", "shop", "/home/ann/review"),
                                         stack("two-a", "two", "/srv/two", "up", {"/srv/two/a.yaml"}),
                                         stack("twin-b", "twin", "/srv/two", "up", {"/srv/two/b.yaml"}),
                                         stack("old-1", "old", "/srv/old", "down"),
                                         stack("new-1", "new", "/srv/old", "up")};

std::string chosen(const Wanted& wanted) {
  return select_stack(k_stacks, wanted).id;
}

int refused(const Wanted& wanted) {
  try {
    select_stack(k_stacks, wanted);
  } catch (const ClientError& error) {
    return error.exit_code();
  }
  return 0;
}

}  // namespace

TEST_CASE("the nearest stack at or above the directory is meant", "[client]") {
  CHECK(chosen({"", "/home/ann/shop", {}}) == "shop-1");
  CHECK(chosen({"", "/home/ann/shop/web/src", {}}) == "shop-1");
  CHECK(chosen({"", "/home/ann/shop/api/src", {}}) == "api-1");
  CHECK(refused({"", "/home/ann/shopping", {}}) == proto::k_not_found);
  CHECK(refused({"", "/home/ann", {}}) == proto::k_not_found);
}

TEST_CASE("a stack of the root directory is above everything", "[client]") {
  CHECK(select_stack({stack("root-1", "root", "/")}, {"", "/etc", {}}).id == "root-1");
}

TEST_CASE("-p names a stack by id or name; the directory decides between two of one name", "[client]") {
  CHECK(chosen({"api", "/elsewhere", {}}) == "api-1");
  CHECK(chosen({"shop-2", "/elsewhere", {}}) == "shop-2");
  CHECK(chosen({"shop", "/home/ann/review", {}}) == "shop-2");
  CHECK(refused({"shop", "/elsewhere", {}}) == proto::k_bad_usage);
  CHECK(refused({"shap", "/elsewhere", {}}) == proto::k_not_found);
}

TEST_CASE("of several stacks of one directory the files decide, then what is not down", "[client]") {
  CHECK(refused({"", "/srv/two", {}}) == proto::k_bad_usage);
  CHECK(chosen({"", "/srv/two", {"/srv/two/b.yaml"}}) == "twin-b");
  CHECK(chosen({"", "/srv/old", {}}) == "new-1");
}

TEST_CASE("of several stacks of one directory that are up it is the one that an up would mean", "[client]") {
  CHECK(chosen({"", "/srv/two", {}, [] { return std::string("twin"); }}) == "twin-b");
  CHECK(refused({"", "/srv/two", {}, [] { return std::string(); }}) == proto::k_bad_usage);
}

TEST_CASE("the message says what was looked for", "[client]") {
  try {
    select_stack(k_stacks, {"", "/tmp/nowhere", {}});
    FAIL("a stack was found");
  } catch (const ClientError& error) {
    CHECK(std::string(error.what()).find("no stack here: ") == 0);
    CHECK(std::string(error.what()).find("/tmp/nowhere") != std::string::npos);
  }
  try {
    select_stack(k_stacks, {"shap", "/tmp", {}});
    FAIL("a stack was found");
  } catch (const ClientError& error) {
    CHECK(std::string(error.what()).find("did you mean 'shop'?") != std::string::npos);
  }
}
