#include "daemon/translate/build_hooks.hpp"

#include <string>

#include "daemon/translate/pre_run.hpp"
#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"

using namespace stackd;
using namespace stackd::translate;
using model::Phase;

namespace {

model::Service service_with(std::vector<std::pair<Phase, std::string>> hooks) {
  model::Service service;
  service.name = "web";
  service.container.emplace();
  service.container->image = "base";
  int index = 0;
  for (auto& [phase, text] : hooks) {
    model::Hook hook;
    hook.phase = phase;
    hook.index = index++;
    hook.service = "web";
    hook.shell = text;
    service.hooks.push_back(hook);
  }
  return service;
}

const ImageFacts k_base{"sha256:0123", "1001", "/app", {"/entry"}, {"serve"}, {}};

std::string dockerfile(const model::Service& service, const ImageFacts& base = k_base) {
  return derived_build(service, build_hooks({}, {}, service, ""), base, {base.id, "s1"}).dockerfile;
}
std::string tag(const model::Service& service, const ImageFacts& base = k_base) {
  return derived_tag(service, build_hooks({}, {}, service, ""), base);
}

}  // namespace

TEST_CASE("M2.3, X22: root's hooks first, then the image's user's, in a directory that is the user's",
          "[translate][moat]") {
  const auto service = service_with({{Phase::post_build, "two"}, {Phase::post_build_root, "one"}});
  CHECK(
      dockerfile(service) ==
      "FROM sha256:0123\nLABEL dev.stackd.hooks=1 dev.stackd.stack=\"s1\"\nUSER root\n"
      R"(RUN ["/bin/sh","-c","test -d '/workspace' || { mkdir -p '/workspace' && chown '1001' '/workspace'; } || true"])"
      "\nWORKDIR /workspace\nRUN [\"/bin/sh\",\"-c\",\"one\"]\nUSER 1001\n"
      "RUN [\"/bin/sh\",\"-c\",\"two\"]\nWORKDIR /app\n");
  const auto plan = derived_build(service, build_hooks({}, {}, service, ""), k_base, {k_base.id, "s1"});
  CHECK(plan.steps == std::vector<int>{6, 8});
  CHECK(plan.layers == std::vector<int>{4, 5});
}

TEST_CASE("M2.4: RUN uses the image's own shell; an image without user and directory keeps root and /",
          "[translate][moat]") {
  ImageFacts base{"sha256:1", "", "", {}, {}, {"/bin/bash", "-ec"}};
  CHECK(dockerfile(service_with({{Phase::post_build_root, "a \"b\""}}), base) ==
        "FROM sha256:1\nLABEL dev.stackd.hooks=1 dev.stackd.stack=\"s1\"\nUSER root\nWORKDIR /workspace\n"
        "RUN [\"/bin/bash\",\"-ec\",\"a \\\"b\\\"\"]\nUSER root\nWORKDIR /\n");
}

TEST_CASE("M3, T19, X21: the tag is of the base and the texts as they are written, and not of pre_run",
          "[translate][moat]") {
  const auto service = service_with({{Phase::post_build_root, "a"}});
  const auto first = tag(service);
  CHECK(first.starts_with("stackd-hooks:"));
  CHECK(first.size() == std::string("stackd-hooks:").size() + 16);
  CHECK(tag(service_with({{Phase::post_build_root, "a"}, {Phase::pre_run, "b"}})) == first);
  CHECK(tag(service_with({{Phase::post_build_root, "a "}})) != first);
  CHECK(tag(service_with({{Phase::post_build, "a"}})) != first);
  auto base = k_base;
  base.id = "sha256:4567";
  CHECK(tag(service, base) != first);
  auto other = service;
  other.name = "other";
  other.hooks[0].service = "other";
  CHECK(tag(other) == first);
  CHECK(build_hooks_key(other) == build_hooks_key(service));
}

TEST_CASE("M4.6: pre_run becomes the image's entrypoint and command, or what the file says instead",
          "[translate][moat]") {
  auto service = service_with({{Phase::pre_run, "x"}});
  const auto words = [&](nlohmann::json body) {
    body["HostConfig"] = nlohmann::json::object();
    add_pre_run(body, service, k_base, "/state/pre_run/web-1");
    CHECK(body["Entrypoint"] == nlohmann::json({"/bin/sh", "/.stackd/entry"}));
    CHECK(body["HostConfig"]["Binds"] ==
          nlohmann::json({"/state/pre_run/web-1:/.stackd:ro", "/state/pre_run/web-1/run:/.stackd/run:rw"}));
    return body["Cmd"].get<std::vector<std::string>>();
  };
  using Words = std::vector<std::string>;
  CHECK(words({}) == Words{"/entry", "serve"});
  service.container->command = Words{"own"};
  CHECK(words({{"Cmd", Words{"own"}}}) == Words{"/entry", "own"});
  service.container->entrypoint = Words{"mine"};
  CHECK(words({{"Cmd", Words{"own"}}, {"Entrypoint", Words{"mine"}}}) == Words{"mine", "own"});
  service.container->command.reset();
  CHECK(words({{"Entrypoint", Words{"mine"}}}) == Words{"mine"});
  service.container->entrypoint = Words{};
  nlohmann::json body{{"HostConfig", nlohmann::json::object()}};
  CHECK_THROWS_AS(add_pre_run(body, service, k_base, "/x"), util::Error);
}

TEST_CASE("X20, X23: pre_run's files hold the text, its surroundings and how a failure counts",
          "[translate][moat]") {
  auto service = service_with({{Phase::pre_run, "one"}, {Phase::pre_run, "two\nthree\n"}});
  service.hooks[1].env["WHO"] = "it's me";
  service.hooks[1].cwd = "/tmp";
  service.hooks[1].on_failure = model::OnFailure::warn;
  service.hooks[1].retries = 2;
  const auto files = pre_run_files({}, {}, service.hooks_of(Phase::pre_run), {{"STACKD_SERVICE", "web"}});
  CHECK(files.at("hook-0") ==
        "export STACKD_SERVICE='web'\nexport STACKD_PHASE=pre_run STACKD_INDEX=0\none\n");
  CHECK(files.at("hook-1").ends_with("export WHO='it'\\''s me'\ncd '/tmp' || exit\nset -e\ntwo\nthree\n"));
  CHECK(files.at("text-1") == "two\nthree\n");
  CHECK(files.at("entry").find("_sd_hook 0 0 1 stop\n_sd_hook 1 2 1 go_on\n") != std::string::npos);
}

TEST_CASE(
    "what a build hook caches is mounted for BuildKit alone, the user's apart from root's, and is in the tag",
    "[translate][moat]") {
  auto service = service_with({{Phase::post_build_root, "one"}, {Phase::post_build, "two"}});
  const auto plain = tag(service);
  CHECK(needs_buildkit(build_hooks({}, {}, service, "")).empty());
  service.hooks[0].cache = service.hooks[1].cache = {"/a", "/b"};
  CHECK(tag(service) != plain);
  const auto hooks = build_hooks({}, {}, service, "");
  CHECK(needs_buildkit(hooks) == "post_build_root[0]");
  const auto text = derived_build(service, hooks, k_base, {"base", "s1", true}).dockerfile;
  CHECK(text.starts_with("FROM base\n"));
  CHECK(
      text.find("RUN --mount=type=cache,sharing=locked,target=/a --mount=type=cache,sharing=locked,target=/b "
                "[\"/bin/sh\",\"-c\",\"one\"]\n") != std::string::npos);
  const std::string users =
      "RUN --mount=type=cache,sharing=locked,target=/a,id=1001:/a "
      "--mount=type=cache,sharing=locked,target=/b,id=1001:/b [\"/bin/sh\",\"-c\",\"";
  CHECK(text.find(users + "chmod 0777 /a /b\"]\nUSER 1001\n" + users + "two\"]\n") != std::string::npos);
  CHECK(derived_build(service, hooks, k_base, {"base", "s1"}).dockerfile.find("--mount") ==
        std::string::npos);
}
