#include "daemon/docker/build_output.hpp"

#include <string>

#include "tests/support/catch.hpp"

using namespace stackd::docker;
using Kind = BuildOutput::Kind;

TEST_CASE("the builder's lines are told apart by step, stream and whose they are", "[docker]") {
  BuildOutput output;
  const auto kind = [&](const char* line) { return output.sort(line).kind; };
  CHECK(kind("Step 1/3 : FROM x") == Kind::step);
  CHECK(kind(" ---> 7a89fb3f40ef") == Kind::chatter);
  CHECK(kind("Step 2/3 : RUN y") == Kind::step);
  CHECK(kind(" ---> Running in 5e887f803e49") == Kind::chatter);
  CHECK(kind("out") == Kind::out);
  CHECK(kind("Step 1/9 : a hook says so") == Kind::out);
  CHECK(output.step() == 2);
  const auto red = output.sort("\x1b[91merr one");
  CHECK(red.kind == Kind::err);
  CHECK(red.text == "err one");
  CHECK(kind("err two") == Kind::err);
  CHECK(kind("\x1b[0mout again") == Kind::out);
  CHECK(output.sort("no newlineRemoving intermediate container 5e887f803e49").text == "no newline");
  CHECK(kind("\x1b[0mRemoving intermediate container 5e887f803e49") == Kind::chatter);
  CHECK(kind("Step 3/3 : RUN z") == Kind::step);
  CHECK(kind(" ---> Using cache") == Kind::cached);
  CHECK(output.step() == 3);
}

TEST_CASE("Podman's lines are told apart, too", "[docker]") {
  BuildOutput output;
  CHECK(output.sort("STEP 1/2: FROM x").kind == Kind::step);
  CHECK(output.sort("STEP 2/2: RUN y").kind == Kind::step);
  CHECK(output.sort("--> Using cache 0123").kind == Kind::cached);
}
