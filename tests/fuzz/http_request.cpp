// The request reader: any bytes, in any pieces, are a request, a refusal or a half of one, and a request is
// the same in pieces. What a handler would be given holds no byte that a header or a path cannot have.
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "daemon/http/request_parser.hpp"
#include "daemon/http/target.hpp"
#include "tests/fuzz/bytes.hpp"

using namespace stackd;

namespace {

http::Limits limits() {
  http::Limits limits;
  limits.head_bytes = 512;
  limits.body_bytes = 256;
  return limits;
}

const http::Router& router() {
  static const http::Router table({{"GET", "/v1/stacks", nullptr},
                                   {"GET", "/v1/stacks/{id}", nullptr},
                                   {"POST", "/v1/stacks/{id}/down", nullptr},
                                   {"GET", "/v1/hooks/{run}/log", nullptr}});
  return table;
}

// The head and then the body, as a session reads them.
struct Reading {
  http::RequestParser parser{limits()};
  boost::beast::flat_buffer buffer;
  boost::system::error_code error;

  void feed(std::string_view piece) {
    boost::asio::buffer_copy(buffer.prepare(piece.size()), boost::asio::buffer(piece));
    buffer.commit(piece.size());
    while (!error && !parser.is_done() && buffer.size() > 0) {
      parser.eager(parser.is_header_done());
      const auto taken = parser.put(buffer.data(), error);
      buffer.consume(taken);
      if (error == boost::beast::http::error::need_more) {
        error = {};
        if (taken == 0) return;
      }
    }
  }
  // Everything that can be told apart.
  std::string outcome() const {
    std::string text = error.message() + "|" + std::to_string(parser.is_header_done()) + "|" +
                       std::to_string(parser.is_done()) + "|";
    if (!parser.is_header_done()) return text;
    const auto request = http::to_request(parser);
    text += request.method + " " + request.path;
    for (const auto& [name, value] : request.headers) text += "|" + name + ": " + value;
    return parser.is_done() ? text + "|" + parser.get().body() : text;
  }
};

bool is_clean(std::string_view text) {
  return text.find_first_of(std::string_view("\0\r\n", 3)) == text.npos;
}

// What a session does with a request that is whole.
void use(const http::Request& request) {
  for (const auto& [name, value] : request.headers)
    fuzz::expect(is_clean(name) && is_clean(value), "no header has a line break or a zero in it");
  http::check_tcp_request(request, "token");
  const auto target = http::parse_target(request.path);
  if (!target) return;
  fuzz::expect(target->path.front() == '/', "a path begins with a slash");
  const auto has_zero = [](const std::string& text) { return text.find('\0') != text.npos; };
  for (const auto& [key, value] : target->query)
    fuzz::expect(!has_zero(key) && !has_zero(value), "no parameter has a zero in it");
  for (const auto& [name, value] : router().find(request.method, target->path).values)
    fuzz::expect(!has_zero(value), "no part of a path has a zero in it");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Reading whole, pieces;
  whole.feed(fuzz::view(data + 1, size - 1));
  fuzz::in_pieces(fuzz::view(data, size), [&](std::string_view piece) { pieces.feed(piece); });
  // (What has no end of its head yet may be refused early, or waited for. At the limit of a head it depends
  // on the pieces what Beast counts.)
  const bool at_limit =
      size - 1 >= limits().head_bytes && (whole.error == boost::beast::http::error::header_limit ||
                                          pieces.error == boost::beast::http::error::header_limit);
  if (at_limit) return 0;
  if (whole.parser.is_header_done() || pieces.parser.is_header_done())
    fuzz::expect(whole.outcome() == pieces.outcome(), "pieces make no difference to a request");
  if (whole.error) http::refusal_of(whole.error, limits());
  if (whole.parser.is_header_done()) use(http::to_request(whole.parser));
  return 0;
}
