#include "proto/frames.hpp"

#include "tests/support/catch.hpp"

using namespace stackd::proto;

TEST_CASE("Frames come out as they went in, wherever the bytes were cut", "[proto]") {
  const std::string long_one(70'000, 'x');
  const std::string bytes =
      frame(Frame::output, "hello") + frame(Frame::input, "") + frame(Frame::errors, long_one);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, bytes.size()}) {
    FrameReader reader;
    std::vector<FrameReader::Read> read;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      reader.feed(std::string_view(bytes).substr(at, piece));
      while (auto next = reader.next()) read.push_back(std::move(*next));
    }
    CAPTURE(piece);
    REQUIRE(read.size() == 3);
    CHECK((read[0].kind == Frame::output && read[0].data == "hello"));
    CHECK((read[1].kind == Frame::input && read[1].data.empty()));
    CHECK((read[2].kind == Frame::errors && read[2].data == long_one));
  }
}

TEST_CASE("The length of a frame stands with its highest byte first", "[proto]") {
  CHECK(frame(Frame::resize, std::string(258, '.')).substr(0, 8) == std::string("\6\0\0\0\0\0\1\2", 8));
}

TEST_CASE("Bytes that are no frames are refused, before they are waited for", "[proto]") {
  const std::vector<std::string> wrong = {std::string("GET / HT"), std::string("\x0a\0\0\0\0\0\0\0", 8),
                                          std::string("\1\0\0\0\0\x20\0\0", 8)};
  for (const auto& bytes : wrong) {
    FrameReader reader;
    reader.feed(bytes);
    CHECK_THROWS(reader.next());
  }
}
