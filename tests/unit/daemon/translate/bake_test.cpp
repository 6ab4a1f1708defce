#include "daemon/translate/bake.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/daemon/translate/samples.hpp"

using namespace stackd;
using namespace stackd::translate;
using nlohmann::json;

namespace {

model::Service built(const std::string& name, const std::string& image) {
  model::Service service;
  service.name = name;
  service.container.emplace();
  service.container->image = image;
  service.container->build.emplace();
  service.container->build->context = "/d/" + name;
  return service;
}

model::Stack stack_with(std::vector<model::Service> services) {
  auto spec = std::make_shared<model::Spec>();
  spec->name = "demo";
  spec->services = std::move(services);
  spec->secrets["s"].file = "/d/s";
  spec->secrets["e"].environment = "EV";
  return {"demo-1", spec, std::make_shared<model::Facts>()};
}

}  // namespace

TEST_CASE("the builds of a stack as a bake file: what one is built on comes first, by its target",
          "[translate][bake]") {
  auto app = built("app", "x/app:1");
  auto& build = *app.container->build;
  build.additional_contexts = {{"base", "service:two"}, {"img", "docker-image://alpine"}};
  build.secrets = {{"s", "s"}, {"ee", "e"}};
  build.ssh = {{"default", ""}, {"k", "/key"}};
  build.ulimits = {{"nofile", 10, 20}, {"nproc", 5, 5}};
  build.extra_hosts = {"a:1.2.3.4"};
  build.network = "host";
  build.privileged = true;
  build.entitlements = {"network.host"};
  build.provenance = "mode=max";
  build.sbom = "false";
  build.dockerfile = "D.file";
  auto two = built("two", "");
  two.container->build->dockerfile_inline = "FROM scratch\n";
  const auto stack = stack_with({app, built("other", "o"), two});
  const auto file =
      bake_file(stack, {.services = {"app"}, .args = {{"A", "1"}}, .no_cache = true, .push = true});
  CHECK(file["group"]["default"]["targets"] == json({"two", "app"}));
  const auto& target = file["target"]["app"];
  CHECK(target["context"] == "/d/app");
  CHECK(target["contexts"] == json({{"base", "target:two"}, {"img", "docker-image://alpine"}}));
  CHECK(target["dockerfile"] == "/d/app/D.file");
  CHECK(target["args"] == json({{"A", "1"}}));
  CHECK(target["tags"] == json({"x/app:1"}));
  CHECK(target["secret"] == json({"id=s,type=file,src=/d/s", "id=ee,type=env,env=EV"}));
  CHECK(target["ssh"] == json({"default=", "k=/key"}));
  CHECK(target["ulimits"] == json({"nofile=10:20", "nproc=5"}));
  CHECK(target["extra-hosts"] == json({{"a", "1.2.3.4"}}));
  CHECK(target["entitlements"] == json({"network.host", "security.insecure"}));
  CHECK(target["attest"] == json({"type=provenance,mode=max"}));
  CHECK(target["output"] == json({"type=registry"}));
  CHECK(target["no-cache"] == true);
  CHECK(!target.contains("pull"));
  CHECK(file["target"]["two"]["dockerfile-inline"] == "FROM scratch\n");
  CHECK(file["target"]["two"]["tags"] == json({"demo-two"}));
  CHECK(!file["target"].contains("other"));
}
