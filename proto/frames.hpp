// What goes over a connection once it was upgraded to `stackd-stream` (docs/api.md, "A terminal over the
// API"): frames, both ways. Eight bytes of head, as the engine's own have them: the kind, three zeros, the
// length of what follows, its highest byte first.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stackd::proto {

inline constexpr std::string_view k_stream_protocol = "stackd-stream";

enum class Frame : std::uint8_t {
  input = 0,      // to the command; an empty one ends its input
  output = 1,     // of the command; with a terminal all of it
  errors = 2,     // what it wrote to stderr
  started = 3,    // ExecStarted
  ended = 4,      // ExecResult; nothing comes after it
  failed = 5,     // Problem; nothing comes after it
  resize = 6,     // from the client: WindowSize
  detach = 7,     // from the client: let the command run on without it; answered by `ended`
  signal = 8,     // from the client: a signal's name, for a container of its own
  preparing = 9,  // Operation that has to end first; comes before `started`
};
inline constexpr std::uint8_t k_last_frame = 9;

// Longer ones are not taken.
inline constexpr std::size_t k_longest_frame = 1 << 20;

std::string frame(Frame kind, std::string_view data);

// Frames out of bytes that were cut anywhere.
class FrameReader {
public:
  struct Read {
    Frame kind;
    std::string data;
  };
  void feed(std::string_view bytes) { pending_ += bytes; }
  // The next whole one; throws std::runtime_error when these are no frames.
  std::optional<Read> next();

private:
  std::string pending_;
};

}  // namespace stackd::proto
