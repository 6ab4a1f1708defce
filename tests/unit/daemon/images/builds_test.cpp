#include "daemon/images/builds.hpp"

#include "tests/support/catch.hpp"

using namespace stackd::images;

TEST_CASE("a failed build's reason is its last line, and what it printed comes before", "[images][builds]") {
  const auto failure = failure_in("[2/2] RUN make\ncc: no input\nERROR: exit code: 1\n");
  CHECK(failure.reason == "exit code: 1");
  CHECK(failure.lines == std::vector<std::string>{"[2/2] RUN make", "cc: no input"});
  CHECK(failure_in("ERROR: alone").lines.empty());
  // One that was ended before it could say anything.
  CHECK(failure_in("cc: no in").reason.empty());
  CHECK(failure_in("").reason.empty());
}
