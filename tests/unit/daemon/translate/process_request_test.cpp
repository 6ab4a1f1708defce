#include "daemon/translate/process_request.hpp"

#include "daemon/resolve/environment.hpp"
#include "tests/support/catch.hpp"

using namespace stackd;
using namespace stackd::translate;
using namespace std::chrono_literals;

namespace {

model::Stack stack_with(const model::Service& service) {
  auto spec = std::make_shared<model::Spec>();
  spec->name = "demo";
  spec->directory = "/home/me/demo";
  spec->services = {service};
  spec->env.from.push_back({"", "TOKEN"});
  auto facts = std::make_shared<model::Facts>();
  facts->stack_id = "demo-12345678";
  facts->caller = {{"HOME", "/home/me"}, {"TOKEN", "swordfish"}};
  return {"demo-12345678", spec, facts};
}

model::Service api() {
  model::Service service;
  service.name = "api";
  service.owned = true;
  service.kind = model::ServiceKind::process;
  service.process.emplace();
  service.environment.env = {{"OWN", "mine"}};
  return service;
}

}  // namespace

TEST_CASE("L3.1: a process is /bin/sh -c in its directory, else the stack's",
          "[translate][process_request]") {
  auto service = api();
  auto request = process_request(stack_with(service), service, "serve $HOME");
  CHECK(request.argv == std::vector<std::string>{"/bin/sh", "-c", "serve $HOME"});
  CHECK(request.cwd == "/home/me/demo");
  CHECK(request.place == process::Place::host);
  service.process->cwd = "/home/me/demo/apps/api";
  request = process_request(stack_with(service), service, "x");
  CHECK(request.cwd == "/home/me/demo/apps/api");
  CHECK(request.env.at("PWD") == "/home/me/demo/apps/api");
}

TEST_CASE("a process has the environment that L6.1 says, and its log hides what is secret",
          "[translate][process_request]") {
  const auto service = api();
  const auto stack = stack_with(service);
  const auto request = process_request(stack, service, "x");
  CHECK(request.env == resolve::process_environment(*stack.spec, *stack.facts, service));
  CHECK(request.env.at("OWN") == "mine");
  CHECK(request.env.at("HOME") == "/home/me");
  CHECK(request.secrets == std::vector<std::string>{"swordfish"});
}

TEST_CASE("L10.4: a process's log goes on where the run before left it", "[translate][process_request]") {
  const auto service = api();
  const auto request = process_request(stack_with(service), service, "x");
  CHECK(request.capture == process::Capture::append);
  CHECK_FALSE(request.truncate_log);
  CHECK_FALSE(request.timeout);
  CHECK_FALSE(request.leave_background);
}

TEST_CASE("L5.5: a process has five seconds to end, or what the file says", "[translate][process_request]") {
  auto service = api();
  CHECK(grace_of(service) == 5s);
  CHECK(process_request(stack_with(service), service, "x").grace == 5s);
  service.process->stop_grace_period = 250ms;
  CHECK(grace_of(service) == 250ms);
  CHECK(process_request(stack_with(service), service, "x").grace == 250ms);
  service.process->stop_grace_period = 0ms;
  CHECK(grace_of(service) == 0ms);
}
