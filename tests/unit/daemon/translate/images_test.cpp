#include "daemon/translate/images.hpp"

#include "tests/support/catch.hpp"

using namespace stackd;
using namespace stackd::translate;

TEST_CASE("C9.2: a service runs its image, or the one that is built for it", "[translate][images]") {
  model::Spec spec;
  spec.name = "demo";
  model::Service service;
  service.name = "web";
  service.container.emplace().build.emplace();
  CHECK(image_of(spec, service) == "demo-web");
  service.container->image = "registry.test/web:1";
  CHECK(image_of(spec, service) == "registry.test/web:1");
}

TEST_CASE("what a request needs to know of an image is taken over as the engine says it",
          "[translate][images]") {
  docker::ImageDetails image;
  image.id = "sha256:1";
  image.user = "1001";
  image.working_dir = "/app";
  image.entrypoint = {"/entry"};
  image.command = {"serve"};
  image.shell = {"/bin/bash", "-c"};
  image.healthcheck = {"CMD", "check"};
  const auto facts = facts_of(image);
  CHECK(facts.id == "sha256:1");
  CHECK(facts.user == "1001");
  CHECK(facts.working_dir == "/app");
  CHECK(facts.entrypoint == image.entrypoint);
  CHECK(facts.command == image.command);
  CHECK(facts.shell == image.shell);
  CHECK(facts.healthcheck == image.healthcheck);
}

TEST_CASE("a pull policy with a time says how old an image may be", "[translate][images]") {
  using namespace std::chrono_literals;
  CHECK(translate::pull_interval("daily") == 24h);
  CHECK(translate::pull_interval("weekly") == 168h);
  CHECK(translate::pull_interval("refresh") == 0h);
  CHECK(translate::pull_interval("every_12h") == 12h);
  CHECK(translate::pull_interval("every_2d") == 48h);
  CHECK(translate::pull_interval("every_1w2d3h") == 219h);
  CHECK_FALSE(translate::pull_interval("always"));
  CHECK_FALSE(translate::pull_interval(""));
}

TEST_CASE("An image in the engine's list is found by its tags, and only as the engine spells them") {
  docker::ImageSummary busybox, own, bare;
  busybox.id = "sha256:1";
  busybox.tags = {"busybox:1.36", "busybox:latest"};
  own.id = "sha256:2";
  own.tags = {"localhost:5000/team/app:v2", "localhost:5000/team/app:latest"};
  bare.id = "sha256:3";
  const std::vector<docker::ImageSummary> images{bare, busybox, own};
  const auto found = [&](const std::string& reference) {
    const auto* image = translate::find_image(images, reference);
    return image ? image->id : "";
  };
  CHECK(found("busybox:1.36") == "sha256:1");
  CHECK(found("busybox") == "sha256:1");
  CHECK(found("busybox:1.35").empty());
  CHECK(found("localhost:5000/team/app") == "sha256:2");
  CHECK(found("localhost:5000/team/app:v2") == "sha256:2");
  CHECK(found("docker.io/library/busybox").empty());  // the engine is asked by name then
  CHECK(found("busybox@sha256:abc").empty());
  CHECK(found("sha256:1").empty());
}
