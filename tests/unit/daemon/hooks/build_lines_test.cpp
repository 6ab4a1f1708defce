#include "daemon/hooks/build_lines.hpp"

#include "daemon/images/told_line.hpp"
#include "tests/support/catch.hpp"

using namespace stackd;
using namespace stackd::hooks;

namespace {

constexpr const char* k_words[] = {"begins", "cached", "ends", "out", "err", "chatter"};

// "begins 0", "out 0 text"; what the builder says itself is left out.
std::vector<std::string> told(BuildLines& lines, const std::vector<std::string>& texts) {
  std::vector<std::string> all;
  for (const auto& text : texts)
    for (const auto& event : lines.take(text))
      if (event.kind != BuildLines::Kind::chatter)
        all.push_back(std::string(k_words[static_cast<int>(event.kind)]) + " " + std::to_string(event.layer) +
                      (event.text.empty() ? "" : " " + event.text));
  return all;
}
using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("M2.6: what the classic builder prints is of the hook whose instruction it has come to",
          "[hooks]") {
  const auto lines = classic_lines({2, 3});
  CHECK(told(*lines, {"Step 1/4 : FROM x", " ---> 0123", "Step 2/4 : RUN one", " ---> Running in 01", "hi",
                      "\x1b[91mbad", "\x1b[0m"}) == Lines{"begins 0", "out 0 hi", "err 0 bad"});
  CHECK(lines->current() == 0);
  CHECK(told(*lines, {"Step 3/4 : RUN two", " ---> Using cache", "Step 4/4 : USER x"}) ==
        Lines{"ends 0", "cached 1"});
  CHECK(lines->current() == -1);
}

TEST_CASE(
    "M2.6: what BuildKit prints is of the hook by the number of its instruction, which is not that of the "
    "step",
    "[hooks]") {
  const auto lines = buildkit_lines({3, 4, 12});
  CHECK(told(*lines,
             {"#1 [internal] load build definition from Dockerfile", "#1 transferring dockerfile: 2B done",
              "#4 [ 1/12] FROM x", "#5 CACHED [ 2/12] WORKDIR /w", "#6 CACHED [ 3/12] RUN [\"one\"]",
              "#7 [ 4/12] RUN two", "#7 0.012 1> hi", "#7 0.013 2> bad"}) ==
        Lines{"cached 0", "begins 1", "out 1 hi", "err 1 bad"});
  CHECK(lines->current() == 1);
  CHECK(told(*lines, {"#7 DONE 0.3s", "#8 [12/12] RUN three", "#8 ERROR: exit code: 3"}) ==
        Lines{"ends 1", "begins 2"});
  CHECK(lines->current() == 2);
  // Begun again, after stackd-build was killed: other numbers, the same hooks.
  CHECK(told(*lines, {"#2 [12/12] RUN three", "#2 0.100 1> again"}) == Lines{"begins 2", "out 2 again"});
}
