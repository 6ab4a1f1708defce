#include "proto/time.hpp"

#include "tests/support/catch.hpp"

using stackd::proto::parse_time;

TEST_CASE("RFC 3339 times are read with milliseconds and offsets", "[proto]") {
  CHECK(parse_time("1970-01-01T00:00:01.250Z") == 1250);
  CHECK(parse_time("2026-01-02T03:04:05Z") == parse_time("2026-01-02T04:04:05+01:00"));
  CHECK(parse_time("2026-01-02T03:04:05.123456789Z") == *parse_time("2026-01-02T03:04:05Z") + 123);
  for (const char* wrong : {"", "yesterday", "2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z"})
    CHECK_FALSE(parse_time(wrong));
}
