// HTTP/1.1 answers from bytes as they arrive, cut anywhere: the head, and what of the rest is the body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace stackd::client {

struct Head {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; the last of equal ones

  // "" when there is none.
  std::string header(const std::string& name) const;
};

// Throws TransportError when the text, up to but without the empty line, is not an HTTP/1.x answer's head.
Head parse_head(std::string_view text);

class BodyDecoder {
public:
  // An answer without a body.
  BodyDecoder() = default;
  explicit BodyDecoder(const Head& head);

  // Takes bytes off the connection and appends the body's to `out`; returns how many were used: all, unless
  // the body ended before. Throws TransportError on broken framing.
  std::size_t feed(std::string_view in, std::string& out);
  bool done() const { return state_ == State::done; }
  // Whether the end of the connection is a proper end of this body.
  bool ends_with_connection() const { return state_ == State::until_close; }

private:
  enum class State { fixed, until_close, chunk_size, chunk_data, chunk_end, trailer, done };

  void end_of_line(const std::string& line);

  State state_ = State::done;
  std::uint64_t left_ = 0;  // bytes of the body or of this chunk
  std::string line_;        // the part of a line that has arrived
};

}  // namespace stackd::client
