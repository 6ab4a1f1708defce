#include "daemon/plan/plan.hpp"

#include "daemon/model/json.hpp"
#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"

using namespace stackd;
using namespace stackd::plan;

namespace {

model::Service service_of(const std::string& name, const std::string& image, bool builds) {
  model::Service service;
  service.name = name;
  auto& container = service.container.emplace();
  container.image = image;
  if (builds) container.build.emplace().context = "/" + name;
  return service;
}

struct Images {
  model::Spec spec;
  Images() {
    spec.name = "demo";
    spec.services = {service_of("web", "", true), service_of("db", "postgres:16", false),
                     service_of("api", "r.example/api:1", true), service_of("copy", "r.example/api:1", true)};
    spec.services[0].depends_on["db"] = {};
  }
  std::vector<std::string> keys(Kind kind, const Wish& wish = {}) const {
    std::vector<std::string> keys;
    for (const auto& step : plan_images(spec, {"", kind, wish}).steps) keys.push_back(step.key);
    return keys;
  }
};

using Keys = std::vector<std::string>;

}  // namespace

TEST_CASE("each action is of the images that it concerns, each once", "[plan][images]") {
  const Images images;
  CHECK(images.keys(Kind::build) == Keys{"image demo-web", "image r.example/api:1"});
  CHECK(images.keys(Kind::pull) == Keys{"image postgres:16", "image r.example/api:1"});
  CHECK(images.keys(Kind::push) == Keys{"push r.example/api:1"});
}

TEST_CASE("services can be named, with what they need when that is wished", "[plan][images]") {
  const Images images;
  CHECK(images.keys(Kind::build, {.services = {"api"}}) == Keys{"image r.example/api:1"});
  CHECK(images.keys(Kind::pull, {.services = {"web"}}).empty());
  Wish deps{.services = {"web"}};
  deps.include_deps = true;
  CHECK(images.keys(Kind::pull, deps) == Keys{"image postgres:16"});
  CHECK_THROWS_AS(images.keys(Kind::build, {.services = {"wbe"}}), util::Error);
}

TEST_CASE("an image that another is built on comes before it", "[plan][images]") {
  Images images;
  images.spec.services[0].container->build->additional_contexts = {{"base", "service:api"}};
  const auto steps = plan_images(images.spec, {"", Kind::build, {.services = {"web"}}}).steps;
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].key == "image r.example/api:1");
  CHECK(steps[1].needs == Keys{"image r.example/api:1"});
}

TEST_CASE("a pull of what can be built may fail, and one of what cannot may not", "[plan][images]") {
  const Images images;
  for (const auto& step : plan_images(images.spec, {"", Kind::pull, {}}).steps) {
    const auto params = model::decoded<Image>(step.params, "params");
    CHECK(params.optional == (params.image == "r.example/api:1"));
  }
}
