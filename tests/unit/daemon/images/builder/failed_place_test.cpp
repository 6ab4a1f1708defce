#include "daemon/images/builder/failed_place.hpp"

#include <wire.pb.h>

#include "daemon/dotdocker/base64.hpp"
#include "tests/support/catch.hpp"

using namespace stackd::builder;

namespace {

std::string details(const std::string& type, const std::string& value) {
  wire::FailedStatus status;
  status.add_details()->set_type("github.com/moby/buildkit/stack.Stack+json");
  auto& detail = *status.add_details();
  detail.set_type("github.com/moby/buildkit/" + type);
  detail.set_value(value);
  return stackd::dotdocker::to_base64(status.SerializeAsString());
}
constexpr const char* k_source =
    R"({"info":{"filename":"Dockerfile","data":"RlJPTSB4Cg=="},"ranges":[{"start":{"line":3},"end":{"line":4}}]})";
constexpr const char* k_file = R"(# syntax
FROM x AS Base
RUN one \
  # a remark
  && two
ENV A=b

FROM base
copy . /
RUN three
FROM y
WORKDIR /w
RUN four
)";
using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("newer builders say in their status' details where a build has failed", "[builder]") {
  const auto place = failed_place(details("errdefs.Source+json", k_source));
  CHECK(place.first == 3);
  CHECK(place.last == 4);
  CHECK(place.text == "FROM x\n");
  CHECK(failed_place(std::string()).first == 0);
  CHECK(failed_place(std::string("no base64 at all!")).first == 0);
  CHECK(failed_place(details("errdefs.Source+json", "[1]")).first == 0);
  CHECK(failed_place(details("errdefs.Other", k_source)).first == 0);
}

TEST_CASE("of older ones it is the instruction by the number of its step within the stage", "[builder]") {
  struct Row {
    const char* step;
    int first, last;
  };
  for (const auto& row : {Row{"[base 2/2] RUN one   && two", 3, 5}, Row{"[stage-1 2/3] COPY . /", 9, 9},
                          Row{"[stage-1 3/3] RUN three", 10, 10}, Row{"[stage-2 3/3] RUN four", 13, 13},
                          Row{"[base 1/2] FROM docker.io/library/x", 2, 2},
                          // A trigger of the base image.
                          Row{"[stage-2 2/3] RUN trigger", 0, 0}, Row{"[internal] load build context", 0, 0},
                          Row{"exporting to image", 0, 0}}) {
    CAPTURE(row.step);
    const auto place = failed_place(k_file, row.step);
    CHECK(place.first == row.first);
    CHECK(place.last == row.last);
  }
  CHECK(failed_place("FROM x\nRUN y\n", "[2/2] RUN y").first == 2);
}

TEST_CASE("the place is shown with the lines around it, those that failed marked", "[builder]") {
  const std::string text = "FROM x\n\nRUN one \\\n  two\nRUN three\nRUN four\n";
  CHECK(shown_place({3, 4, ""}, text, "/d/Dockerfile") ==
        Lines{"/d/Dockerfile:3", "   1     FROM x", "   2     ", "   3 >>> RUN one \\", "   4 >>>   two",
              "   5     RUN three", "   6     RUN four"});
  CHECK(shown_place({6, 6, ""}, text, "f").back() == "   6 >>> RUN four");
  CHECK(shown_place({}, text, "f").empty());
}
