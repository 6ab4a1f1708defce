// What the engine's streams are made of: multiplexed output, lines, JSON messages. Pieces may be cut
// anywhere.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/docker/engine.hpp"

namespace stackd::docker {

class Body;

// Takes stdout and stderr of a container or an exec apart: frames of {stream, 0, 0, 0, length as 4 bytes, big
// end first} and data. With a terminal there are no frames, and all is stdout.
class Demux {
public:
  using Sink = std::function<void(Stream, std::string_view)>;
  Demux(bool tty, Sink sink);
  // Throws Error(engine) when the engine reports an error inside the stream, or the bytes are no frames.
  void feed(std::string_view piece);

private:
  void begin_frame();
  Sink sink_;
  bool tty_;
  std::array<unsigned char, 8> header_{};
  std::size_t header_size_ = 0;
  std::uint32_t left_ = 0;  // of the frame's data
  std::uint8_t stream_ = 0;
  std::string system_error_;  // data of a frame of stream 3
};

// Cuts a stream into lines, without their "\n" or "\r\n". A line longer than `longest` comes in pieces.
class Lines {
public:
  using Sink = std::function<void(std::string_view)>;
  explicit Lines(Sink sink, std::size_t longest = 4 << 20) : sink_(std::move(sink)), longest_(longest) {}
  void feed(std::string_view piece);
  // Hands over a last line that no newline ended.
  void finish();

private:
  void emit(std::string_view line);
  Sink sink_;
  std::size_t longest_;
  std::string partial_;
};

// An answer's output, handed on as it comes.
awaitable<void> hand_on(Body& body, bool tty, OutputSink sink);
// Its lines.
awaitable<void> hand_on_lines(Body& body, LineSink sink);

// One line of the answer to a pull or build.
struct Message {
  std::string stream;      // of a build: text, with its newlines
  std::string status, id;  // of a pull: "Downloading", the layer
  std::string error;
  std::string aux_id;  // of a build: the image so far
};
// Nothing for a line that is no JSON object.
std::optional<Message> parse_message(std::string_view line);

}  // namespace stackd::docker
