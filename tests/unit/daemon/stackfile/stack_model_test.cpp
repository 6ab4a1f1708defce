#include "daemon/stackfile/stack_model.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/unit/daemon/stackfile/load_support.hpp"

using namespace stackd;
using nlohmann::json;
using test::Loading;

TEST_CASE("a compose.yaml's x-* keys are in its model as Compose has them, x-stackd is not",
          "[stackfile][stack_model]") {
  Loading loading(
      "x-one: {text: $TAG, quoted: '5', number: 5, half: 1.5, yes: true, none: , list: [a]}\n"
      "x-stackd: {lifecycle: {before_up: [echo]}}\n"
      "services: {web: {image: a}}\n");
  loading.directory.write(".env", "TAG=seven\n");
  const auto model = stackfile::stack_model(loading.load());
  CHECK(model["x-one"] ==
        json::parse(R"({"text": "seven", "quoted": "5", "number": 5, "half": 1.5, "yes": true,
                                          "none": null, "list": ["a"]})"));
  CHECK_FALSE(model.contains("x-stackd"));
  CHECK_FALSE(model.contains("lifecycle"));
}

TEST_CASE(
    "x-* keys below the top are told beside the model, with their places; their dollars are doubled too",
    "[stackfile][stack_model]") {
  const Loading loading(
      "x-top: a$$b\n"
      "services:\n"
      "  web:\n"
      "    image: a\n"
      "    x-web: {n: [1, c$$d]}\n"
      "    x-stackd: {lifecycle: {before_start: [echo]}}\n"
      "    labels: {x-label: 5}\n"
      "    build: {context: ., x-build: yes}\n"
      "    healthcheck: {test: NONE, x-check: {a: }}\n"
      "networks: {default: {x-net: 1}}\n"
      "volumes: {unused: {x-vol: 2}}\n");
  const auto spec = loading.load();
  const auto model = stackfile::stack_model(spec);
  CHECK(model["x-top"] == "a$$b");
  CHECK_FALSE(model["services"]["web"].contains("x-web"));  // as in Compose's JSON
  CHECK(model["services"]["web"]["labels"]["x-label"] == "5");
  CHECK(stackfile::nested_extensions(spec) == json::parse(R"({
    "/services/web/x-web": {"n": [1, "c$$d"]},
    "/services/web/labels/x-label": 5,
    "/services/web/build/x-build": "yes",
    "/services/web/healthcheck/x-check": {"a": null},
    "/networks/default/x-net": 1,
    "/volumes/unused/x-vol": 2})"));
}

TEST_CASE("a stackd.yaml's model has stackd's own keys, and can be loaded again",
          "[stackfile][stack_model]") {
  const Loading loading(
      "services:\n"
      "  db:\n"
      "    image: a\n"
      "    command: echo $$HOME\n"
      "    post_start: [{command: [x], timeout: 2s}]\n"
      "    lifecycle: {after_ready: [echo ready]}\n"
      "    hooks: {post_build: make}\n"
      "    ready_when: {tcp: '5432', timeout: 3s}\n"
      "owned:\n"
      "  api: {cmd: 'run $PORT', port: {env: PORT}, depends_on: {db: {condition: ready}}, restart: "
      "on-failure}\n"
      "  job: {cmd: x, oneshot: true, stop_cmd: y, depends_on: []}\n"
      "env: {A: '1', GONE: null}\n"
      "env_groups: {test: {extends: stack, env: {B: '2'}, process_env: false}}\n"
      "commands: {check: {cmd: make check, env_group: test}}\n"
      "lifecycle: {before_up: [[a, b], {cmd: c, run: once, on_failure: warn, if: {env: [X]}}]}\n"
      "runtime: {hook_timeout: 5s, port_range: [9100, 9200]}\n",
      "stackd.yaml");
  const auto model = stackfile::stack_model(loading.load());
  CHECK(model["lifecycle"]["before_up"] ==
        json::parse(
            R"([["a", "b"], {"cmd": "c", "run": "once", "on_failure": "warn", "if": {"env": ["X"]}}])"));
  CHECK(model["services"]["db"]["hooks"] == json::parse(R"({"post_build": "make"})"));
  CHECK(model["owned"]["api"]["port"] == json::parse(R"({"env": "PORT"})"));
  CHECK(model["env"] == json::parse(R"({"A": "1", "GONE": null})"));
  // JSON is YAML: what is printed says the same when it is read.
  Loading again(model.dump(), "stackd.yaml");
  const auto same = stackfile::stack_model(again.load());
  CHECK(same["owned"]["job"] == model["owned"]["job"]);
  for (const char* key : {"services", "env", "env_groups", "commands", "lifecycle", "runtime", "networks"})
    CHECK(same[key] == model[key]);
}
