#include "daemon/images/told_line.hpp"

#include "tests/support/catch.hpp"

using namespace stackd::images;
using Kind = ToldLine::Kind;

TEST_CASE("each line of a build's log is told apart by its form", "[images][builds]") {
  struct Row {
    const char* line;
    Kind kind;
    int step;
    const char* text;
  };
  const Row rows[] = {
      {"#5 [2/3] RUN sleep 0.5s", Kind::begins, 5, "[2/3] RUN sleep 0.5s"},
      {"#5 exporting to image", Kind::begins, 5, "exporting to image"},
      {"#12 0.312 cc -c main.c", Kind::out, 12, "cc -c main.c"},
      {"#12 10.000 1> DONE 1.0s", Kind::out, 12, "DONE 1.0s"},
      {"#12 0.312 2> bad", Kind::err, 12, "bad"},
      {"#5 0.312 ", Kind::out, 5, ""},
      {"#5 DONE 1.4s", Kind::ends, 5, "1.4s"},
      {"#5 CACHED", Kind::cached, 5, ""},
      {"#5 CACHED [2/3] RUN make", Kind::cached, 5, "[2/3] RUN make"},
      {"#5 ERROR: exit code: 7", Kind::failed, 5, "exit code: 7"},
      {"#5 CANCELED", Kind::cancelled, 5, "CANCELED"},
      {"#5 transferring context: 5.2MB 1.2s 4.3MB/s", Kind::part, 5,
       "transferring context: 5.2MB 1.2s 4.3MB/s"},
      {"#5 sha256:01 1.0MB / 5.2MB 1.2s", Kind::part, 5, "sha256:01 1.0MB / 5.2MB 1.2s"},
      {"#5 extracting sha256:01 0.4s done", Kind::part, 5, "extracting sha256:01 0.4s done"},
      {"no line of its", Kind::other, 0, ""},
      {"#x y", Kind::other, 0, ""},
      {"", Kind::other, 0, ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.line);
    const auto told = told_line(row.line);
    CHECK(told.kind == row.kind);
    CHECK(told.step == row.step);
    CHECK(told.text == row.text);
  }
}

TEST_CASE("the number of an instruction is read from the name of its step", "[images][builds]") {
  CHECK(instruction_in("[2/3] RUN make") == 2);
  CHECK(instruction_in("[ 2/12] RUN make") == 2);
  CHECK(instruction_in("[base 11/12] RUN [\"1/2\"]") == 11);
  CHECK(instruction_in("[internal] load .dockerignore") == 0);
  CHECK(instruction_in("exporting to image") == 0);
}
