// The engine's streams: frames and lines are the same in whatever pieces they come, and a line of a pull is a
// message or none.
#include "daemon/docker/streams.hpp"
#include "daemon/util/error.hpp"
#include "tests/fuzz/bytes.hpp"

using namespace stackd;

namespace {

// What came out, with neighbours of one stream joined; and how it ended.
struct Output {
  std::string text;
  int last = -1;
  docker::Demux demux{false, [this](docker::Stream stream, std::string_view data) {
                        const int now = static_cast<int>(stream);
                        if (now != last) text += "|" + std::to_string(now) + ":";
                        last = now;
                        text += data;
                      }};
  bool ended = false;

  void feed(std::string_view piece) {
    if (ended) return;
    try {
      demux.feed(piece);
    } catch (const util::Error& error) {
      ended = true;
      text += std::string("|!") + error.what();
    }
  }
};

struct Cut {
  std::string text;
  docker::Lines lines{[this](std::string_view line) { (text += line) += '\n'; }};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto all = fuzz::view(data, size), bytes = all.substr(1);
  Output whole, pieces;
  Cut at_once, bit_by_bit;
  whole.feed(bytes);
  at_once.lines.feed(bytes);
  fuzz::in_pieces(all, [&](std::string_view piece) {
    pieces.feed(piece);
    bit_by_bit.lines.feed(piece);
  });
  at_once.lines.finish();
  bit_by_bit.lines.finish();
  fuzz::expect(whole.text == pieces.text, "frames are the same in pieces");
  fuzz::expect(at_once.text == bit_by_bit.text, "lines are the same in pieces");
  docker::parse_message(bytes);
  return 0;
}
