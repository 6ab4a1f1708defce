#include "daemon/docker/streams.hpp"

#include <vector>

#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"

using namespace stackd;
using docker::Demux;
using docker::Lines;
using docker::Stream;

namespace {

std::string frame(char stream, const std::string& data) {
  std::string result{stream, 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8) result += static_cast<char>(data.size() >> shift & 0xff);
  return result + data;
}

struct Collected {
  std::string out, err;
  Demux::Sink sink() {
    return [this](Stream stream, std::string_view piece) { (stream == Stream::out ? out : err) += piece; };
  }
};

}  // namespace

TEST_CASE("Multiplexed output is taken apart wherever its pieces are cut", "[docker]") {
  const auto bytes = frame(1, "hello\n") + frame(2, "oh no\n") + frame(1, "") +
                     frame(1, std::string(70000, 'x')) + frame(0, "echo") + frame(2, "!");
  const std::string out = "hello\n" + std::string(70000, 'x') + "echo";
  for (const std::size_t size : {1UL, 2UL, 3UL, 7UL, 8UL, 9UL, 13UL, 4096UL, bytes.size()}) {
    Collected collected;
    Demux demux(false, collected.sink());
    for (std::size_t at = 0; at < bytes.size(); at += size)
      demux.feed(std::string_view(bytes).substr(at, size));
    INFO("pieces of " << size);
    CHECK(collected.out == out);
    CHECK(collected.err == "oh no\n!");
  }
}

TEST_CASE("Output of a terminal is stdout as it is", "[docker]") {
  Collected collected;
  Demux demux(true, collected.sink());
  demux.feed(frame(2, "raw"));
  CHECK(collected.out == frame(2, "raw"));
  CHECK(collected.err.empty());
}

TEST_CASE("An error of the engine inside the output is thrown in its words", "[docker]") {
  Collected collected;
  Demux demux(false, collected.sink());
  demux.feed(frame(1, "first"));
  const auto bytes = frame(3, "log driver went away");
  demux.feed(bytes.substr(0, 15));
  try {
    demux.feed(bytes.substr(15));
    FAIL("nothing was thrown");
  } catch (const util::Error& e) {
    CHECK(e.kind() == util::ErrorKind::engine);
    CHECK(std::string(e.what()).find("log driver went away") != std::string::npos);
  }
  CHECK(collected.out == "first");
}

TEST_CASE("Bytes that are no frames are an error, not output", "[docker]") {
  Collected collected;
  Demux demux(false, collected.sink());
  CHECK_THROWS_AS(demux.feed("OCI runtime exec failed"), util::Error);
  CHECK(collected.out.empty());
}

TEST_CASE("Lines are whole wherever the stream is cut, and the last needs no newline", "[docker]") {
  const std::string bytes = "one\r\ntwo\n\nthree\r\nfour";
  for (std::size_t size = 1; size <= bytes.size(); ++size) {
    std::vector<std::string> got;
    Lines lines([&](std::string_view line) { got.emplace_back(line); });
    for (std::size_t at = 0; at < bytes.size(); at += size)
      lines.feed(std::string_view(bytes).substr(at, size));
    lines.finish();
    INFO("pieces of " << size);
    CHECK(got == std::vector<std::string>{"one", "two", "", "three", "four"});
  }
}

TEST_CASE("A line without end comes in pieces instead of filling the memory", "[docker]") {
  std::vector<std::size_t> sizes;
  Lines lines([&](std::string_view line) { sizes.push_back(line.size()); }, 100);
  for (int i = 0; i < 25; ++i) lines.feed("0123456789");
  lines.finish();
  CHECK(sizes == std::vector<std::size_t>{100, 100, 50});
}

TEST_CASE("Messages of pulls and builds are read, whichever fields they have", "[docker]") {
  const auto stream = docker::parse_message(R"({"stream":"Step 1/2 : FROM scratch\n"})");
  REQUIRE(stream);
  CHECK(stream->stream == "Step 1/2 : FROM scratch\n");

  const auto pull =
      docker::parse_message(R"({"status":"Downloading","progressDetail":{"current":1},"id":"a1"})");
  REQUIRE(pull);
  CHECK(pull->status == "Downloading");
  CHECK(pull->id == "a1");

  CHECK(docker::parse_message(R"({"errorDetail":{"message":"no space"},"error":"no space"})")->error ==
        "no space");
  CHECK(docker::parse_message(R"({"errorDetail":{"message":"only here"}})")->error == "only here");
  CHECK(docker::parse_message(R"({"aux":{"ID":"sha256:12"}})")->aux_id == "sha256:12");
  CHECK(docker::parse_message(R"({"aux":null,"stream":null})")->stream.empty());
  CHECK_FALSE(docker::parse_message("<html>"));
  CHECK_FALSE(docker::parse_message("[1]"));
}
