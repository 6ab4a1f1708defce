#include "daemon/world/status.hpp"

#include "tests/support/catch.hpp"

using namespace stackd;

TEST_CASE("What somebody has changed of a container that is there is said, and nothing of one that is as it was made",
          "[world]") {
  model::Spec spec;
  spec.name = "demo";
  spec.networks["default"].name = "demo_default";
  spec.networks["back"].name = "shared";
  model::Service service;
  service.name = "web";
  auto& container = service.container.emplace();
  container.networks["default"];
  container.networks["back"];
  const auto said = [&](int number, const std::string& name, const std::vector<std::string>& networks) {
    return world::changed_by_hand(spec, service, number, name, networks);
  };
  CHECK(said(1, "demo-web-1", {"shared", "demo_default"}).empty());
  CHECK(said(2, "demo-web-2", {"demo_default", "shared", "another"}).empty());
  CHECK(said(1, "other", {"demo_default", "shared"}) == "its container is called 'other' now, and not 'demo-web-1'");
  CHECK(said(1, "demo-web-1", {"demo_default"}) == "its container is not on network 'shared' any more");
  CHECK(said(1, "demo-web-1", {}) == "its container is not on network 'shared' any more");
  container.container_name = "mine";
  CHECK(said(1, "mine", {"demo_default", "shared"}).empty());
  container.networks.clear();
  CHECK(said(1, "mine", {}).empty());
}
