#include "daemon/http/request_parser.hpp"

#include <boost/beast/http/error.hpp>
#include <string>

namespace stackd::http {

namespace bhttp = boost::beast::http;

Request to_request(const RequestParser& parser) {
  const auto& message = parser.get();
  Request request;
  request.method = std::string(message.method_string());
  request.path = std::string(message.target());
  for (const auto& field : message)
    request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  return request;
}

std::optional<Refusal> refusal_of(const boost::system::error_code& error, const Limits& limits) {
  const auto& ours = bhttp::make_error_code(bhttp::error::end_of_stream).category();
  // Another category is the socket's. (Beast has closed it when the time was up.)
  if (error == bhttp::error::end_of_stream || error == bhttp::error::partial_message ||
      error.category() != ours)
    return std::nullopt;
  const auto too_large = [](const char* what, std::size_t limit) {
    return std::string("cannot read the request: its ") + what + " is larger than " + std::to_string(limit) +
           " bytes";
  };
  if (error == bhttp::error::body_limit) return Refusal{413, too_large("body", limits.body_bytes)};
  if (error == bhttp::error::header_limit) return Refusal{431, too_large("head", limits.head_bytes)};
  return Refusal{400, "cannot read the request: " + error.message()};
}

}  // namespace stackd::http
