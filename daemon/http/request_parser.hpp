// From bytes to a Request: Beast's parser with our limits, what a handler is given of it, and what to say to
// bytes that are no request. No socket and no coroutine: tests and fuzzers feed it what they like.
#pragma once

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>

#include "daemon/http/access.hpp"
#include "daemon/http/session.hpp"

namespace stackd::http {

// Of one request; the head first, then, if the caller wants it, the body.
class RequestParser : public boost::beast::http::request_parser<boost::beast::http::string_body> {
public:
  explicit RequestParser(const Limits& limits) {
    header_limit(static_cast<std::uint32_t>(limits.head_bytes));
    body_limit(limits.body_bytes);
  }
};

// Method, target as it is in `path`, and headers, once the head is there.
Request to_request(const RequestParser& parser);

// 400, 413 or 431 for a request that broke the rules or the limits. Nothing when there is nobody to tell: the
// client is gone, has cut the request off half-way, or is out of time.
std::optional<Refusal> refusal_of(const boost::system::error_code& error, const Limits& limits);

}  // namespace stackd::http
