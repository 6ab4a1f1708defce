#include <string>

#include "daemon/util/text.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;
using model::Phase;
using test::Loading;

namespace {

const std::string k_stack =
    "version: \"1\"\nservices:\n  db: {image: postgres}\n  cache: {image: redis}\n"
    "owned:\n  api: {cmd: a}\n  web: {cmd: w}\n";

model::Spec load(const std::string& profiles, const std::string& chosen = "") {
  Loading loading(k_stack + profiles, "lich.yaml");
  loading.request.profile = chosen;
  return loading.load();
}

std::string mistakes(const std::string& profiles, const std::string& chosen = "") {
  Loading loading(k_stack + profiles, "lich.yaml");
  loading.request.profile = chosen;
  return loading.mistakes();
}

std::string names(const model::Spec& spec) {
  std::string out;
  for (const auto& service : spec.services) out += service.name + " ";
  return out;
}

std::string texts(const model::Spec& spec, Phase phase) {
  std::string out;
  int index = 0;
  for (const auto* hook : spec.hooks_of(phase)) {
    CHECK(hook->index == index++);
    out += hook->shell + " ";
  }
  return out;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("L8.1: the argument, the default, the only one, or everything", "[stackfile][profiles]") {
  const std::string two =
      "profiles:\n  a: {owned: [api], default: true}\n  b: {services: [db], owned: [web]}\n";
  CHECK(names(load(two)) == "api ");
  CHECK(load(two).profile == "a");
  CHECK(names(load(two, "b")) == "db web ");
  CHECK(load(two, "b").disabled == std::vector<std::string>{"cache", "api"});
  CHECK(load("profiles:\n  only: {owned: [web]}\n").profile == "only");
  CHECK(names(load("")) == "db cache api web ");
  CHECK(load("").profile.empty());
  CHECK(names(load("profiles: {}\n")) == "db cache api web ");
  CHECK(mistakes(two, "aa") == "lich.yaml:9:3: there is no profile 'aa', did you mean 'a'?\n");
  CHECK(has(mistakes("profiles: {a: {owned: [api]}, b: {owned: [web]}}\n"),
            "no profile has 'default: true': choose one with --profile (a, b)"));
  CHECK(has(mistakes("profiles:\n  a: {default: true}\n  b: {default: true}\n"),
            "lich.yaml:10:3: profile 'b' has 'default: true', and so has 'a'"));
}

TEST_CASE("L8.2: extends is a union, later parents and children win in env", "[stackfile][profiles]") {
  const auto spec = load(
      "profiles:\n"
      "  base: {services: [db], env: {A: base, B: base, C: base}}\n"
      "  more: {owned: [api], env: {B: more, C: more}}\n"
      "  child: {extends: [base, more], owned: [web], env: {C: child, D: null}}\n",
      "child");
  CHECK(names(spec) == "db api web ");
  CHECK(spec.profile_env.env.at("A") == "base");
  CHECK(spec.profile_env.env.at("B") == "more");
  CHECK(spec.profile_env.env.at("C") == "child");
  CHECK(spec.profile_env.env.at("D") == std::nullopt);
  CHECK(names(load("profiles: {base: {services: [db]}, child: {extends: base, owned: [web]}}\n", "child")) ==
        "db web ");
}

TEST_CASE("L8.2: env_files and env_from of parents come first", "[stackfile][profiles]") {
  Loading loading(k_stack +
                      "profiles:\n  p: {owned: [api], env_files: [p.env], env_from: [P]}\n"
                      "  c: {extends: p, env_files: [c.env], env_from: [C]}\n",
                  "lich.yaml");
  loading.request.profile = "c";
  loading.directory.write("p.env", "A=p\nB=p\n");
  loading.directory.write("c.env", "B=c\n");
  const auto spec = loading.load();
  CHECK(spec.profile_env.file_env.at("A") == "p");
  CHECK(spec.profile_env.file_env.at("B") == "c");
  REQUIRE(spec.profile_env.from.size() == 2);
  CHECK(spec.profile_env.from[0].variable == "P");
}

TEST_CASE("L8.3, T25: hooks go top, parents, child up and child, parents, top down",
          "[stackfile][profiles]") {
  const std::string text =
      "lifecycle:\n  before_up: [top]\n  after_up: [top]\n  before_down: [top]\n  after_down: [top]\n"
      "profiles:\n"
      "  root: {lifecycle: {before_up: [root], after_up: [root], before_down: [root], after_down: [root]}}\n"
      "  left: {extends: root, lifecycle: {before_up: [left], before_down: [left]}}\n"
      "  right: {extends: root, lifecycle: {before_up: [[right, right2]], before_down: [right]}}\n"
      "  child: {extends: [left, right], default: true, lifecycle: {before_up: [[child]], after_up: [child], "
      "before_down: [child], after_down: [child]}}\n";
  const auto spec = load(text);
  CHECK(texts(spec, Phase::before_up) == "top root left right right2 child ");
  CHECK(texts(spec, Phase::after_up) == "top root child ");
  CHECK(texts(spec, Phase::before_down) == "child left root right top ");
  CHECK(texts(spec, Phase::after_down) == "child root top ");
  const auto up = spec.hooks_of(Phase::before_up);
  CHECK(up[3]->group == up[4]->group);
  CHECK(up[5]->group > up[4]->group);
  CHECK(up[0]->group == -1);
  CHECK(texts(load("lifecycle: {before_up: [top]}\nprofiles: {a: {owned: [api], lifecycle: {before_up: "
                   "[a]}}, b: {owned: [web], default: true}}\n"),
              Phase::before_up) == "top ");
}

TEST_CASE("L8.4: cycles, unknown parents and unknown services are refused, in every profile",
          "[stackfile][profiles]") {
  CHECK(has(mistakes("profiles:\n  a: {extends: b, default: true}\n  b: {extends: a}\n"),
            "profiles extend each other in a cycle: a -> b -> a"));
  CHECK(has(mistakes("profiles:\n  a: {extends: a}\n"), "in a cycle: a -> a"));
  CHECK(has(mistakes("profiles:\n  dev: {default: true}\n  a: {extends: dve}\n"),
            "lich.yaml:10:16: profile 'a' extends 'dve', which does not exist, did you mean 'dev'?"));
  CHECK(has(mistakes("profiles:\n  a: {services: [dbb], default: true}\n"),
            "lich.yaml:9:18: profile 'a': there is no service 'dbb', did you mean 'db'?"));
  CHECK(has(mistakes("profiles: {a: {services: [api]}}\n"), "'api' belongs in the list 'owned'"));
  CHECK(has(mistakes("profiles: {a: {owned: [db]}}\n"), "'db' belongs in the list 'services'"));
  CHECK(has(mistakes("profiles: {a: {ownd: [api]}}\n"), "did you mean 'owned'?"));
  CHECK(has(mistakes("profiles: [a]\n"), "expected a mapping of names"));
}

TEST_CASE("L8.4: a discovered parent stands for its instances", "[stackfile][profiles]") {
  Loading loading(
      k_stack +
          "  workers: {discover: {glob: 'w/*', name_template: '${basename}', cmd_template: run}}\n"
          "profiles: {dev: {owned: [workers]}}\n",
      "lich.yaml");
  loading.directory.write("w/one", "");
  loading.directory.write("w/two", "");
  CHECK(names(loading.load()) == "one two ");
}

TEST_CASE("L8.5: what is needed has to be in the profile", "[stackfile][profiles]") {
  CHECK(has(mistakes("  late: {cmd: x, depends_on: [api]}\nprofiles: {a: {owned: [late]}}\n"),
            "which the chosen profile leaves out"));
}

TEST_CASE("an empty list starts nothing of a kind, a profile without lists narrows nothing",
          "[stackfile][profiles]") {
  CHECK(names(load("profiles: {fast: {services: [], owned: [api]}}\n")) == "api ");
  CHECK(names(load("profiles: {none: {services: [], owned: []}}\n")).empty());
  CHECK(names(load("profiles: {settings: {env: {A: b}}}\n")) == "db cache api web ");
}

TEST_CASE("a stackd.yaml has Compose's profiles and these", "[stackfile][profiles]") {
  Loading loading(
      "services:\n  db: {image: a}\n  debug: {image: b, profiles: [debug]}\nowned:\n  api: {cmd: x}\n"
      "profiles:\n  dev: {services: [db, debug], default: true}\n  full: {services: [db], owned: [api]}\n",
      "stackd.yaml");
  CHECK(names(loading.load()) == "db ");
  loading.request.profile = "debug";
  CHECK(names(loading.load()) == "db debug ");
  loading.request.profile = "full,debug";
  CHECK(names(loading.load()) == "db api ");
  loading.request.profile = "dev,full";
  CHECK(has(loading.mistakes(), "only one profile can be chosen, found dev and full"));
  loading.request.profile = "debgu";
  CHECK(has(loading.mistakes(), "there is no profile 'debgu'"));
}
