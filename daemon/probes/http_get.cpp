// http_get: a path of the first port, or a URL, that answers 2xx; redirects are followed (L3.4). By TLS, too,
// whoever has signed the certificate.
#include "daemon/probes/connect.hpp"
#include "daemon/probes/probe.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <filesystem>

#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::probes {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using util::Error;
using util::ErrorKind;

constexpr int k_most_redirects = 5;
constexpr std::uint32_t k_largest_header = 1 << 20;

struct Url {
  bool tls = false;
  std::string host, port, target;

  std::string scheme() const { return tls ? "https:" : "http:"; }
};

Url parse_url(const std::string& url) {
  const bool tls = util::starts_with_icase(url, "https://");
  if (!tls && !util::starts_with_icase(url, "http://"))
    throw Error(ErrorKind::unsupported,
                "cannot probe '" + url + "': only http:// and https:// URLs can be probed");
  const auto rest = url.substr(url.find("//") + 2);
  const auto slash = rest.find_first_of("/?");
  auto authority = rest.substr(0, slash);
  Url parts;
  parts.tls = tls;
  parts.target = slash == std::string::npos ? "/" : (rest[slash] == '?' ? "/" : "") + rest.substr(slash);
  const auto colon = authority.rfind(':');
  const auto bracket = authority.rfind(']');
  const bool has_port = colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
  parts.port = has_port ? authority.substr(colon + 1) : tls ? "443" : "80";
  parts.host = has_port ? authority.substr(0, colon) : authority;
  if (parts.host.size() > 2 && parts.host.front() == '[')
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  return parts;
}

// What a Location means for who has asked `from` (RFC 9110 10.2.2, RFC 3986 5.2).
std::string redirected(const Url& from, const std::string& location) {
  if (location.find("://") != std::string::npos) return location;
  if (location.starts_with("//")) return from.scheme() + location;
  const auto host = from.host.find(':') == std::string::npos ? from.host : "[" + from.host + "]";
  const auto root = from.scheme() + "//" + host + ":" + from.port;
  if (location.starts_with('/')) return root + location;
  const auto path = from.target.substr(0, from.target.find_first_of("?#"));
  if (location.starts_with('?')) return root + path + location;
  const auto split = std::min(location.find_first_of("?#"), location.size());
  const auto folder = path.substr(0, path.rfind('/') + 1);
  return root + std::filesystem::path(folder + location.substr(0, split)).lexically_normal().string() +
         location.substr(split);
}

std::optional<asio::ip::address> address_of(const std::string& host) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  return error ? std::nullopt : std::optional(address);
}

using Answer = std::pair<int, std::string>;  // the status, and where a redirect leads

Error no_answer(const Url& url, const boost::system::error_code& error) {
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  return {ErrorKind::failed, "no answer from " + std::string(url.tls ? "https://" : "") + url.host + ":" +
                                 url.port + ": " + error.message()};
}

template <class Stream>
awaitable<Answer> ask(Stream& stream, const Url& url) {
  http::request<http::empty_body> request{http::verb::get, url.target, 11};
  request.set(http::field::host, url.host + ":" + url.port);
  request.set(http::field::user_agent, "stackd");
  request.set(http::field::accept, "*/*");
  request.set(http::field::connection, "close");
  auto [write_error, written] = co_await http::async_write(stream, request, asio::as_tuple(use_awaitable));
  beast::flat_buffer buffer;
  http::response_parser<http::empty_body> parser;
  parser.header_limit(k_largest_header);
  boost::system::error_code error = write_error;
  if (!error) {
    auto [read_error, read] =
        co_await http::async_read_header(stream, buffer, parser, asio::as_tuple(use_awaitable));
    error = read_error;
  }
  if (error) throw no_answer(url, error);
  co_return Answer(static_cast<int>(parser.get().result_int()),
                   std::string(parser.get()[http::field::location]));
}

// No certificate is looked at: what is asked is whether it answers, and nothing secret goes there. OpenSSL
// reads no files for that, which would be on the control thread.
asio::ssl::context tls_context() {
  ::OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  return asio::ssl::context(asio::ssl::context::tls_client);
}

awaitable<Answer> get_by_tls(beast::tcp_stream& connection, const Url& url) {
  auto context = tls_context();
  beast::ssl_stream<beast::tcp_stream&> stream(connection, context);
  if (!address_of(url.host)) ::SSL_set_tlsext_host_name(stream.native_handle(), url.host.c_str());
  auto [error] =
      co_await stream.async_handshake(asio::ssl::stream_base::client, asio::as_tuple(use_awaitable));
  if (error) throw no_answer(url, error);
  co_return co_await ask(stream, url);
}

awaitable<Answer> get(Url url) {
  beast::tcp_stream stream(co_await asio::this_coro::executor);
  stream.expires_after(k_attempt_limit);
  co_await connect(stream, url.host, url.port);
  if (url.tls) co_return co_await get_by_tls(stream, url);
  co_return co_await ask(stream, url);
}

awaitable<void> http_attempt(std::string url) {
  for (int hop = 0; hop <= k_most_redirects; ++hop) {
    const auto parts = parse_url(url);
    const auto [status, location] = co_await get(parts);
    if (status >= 200 && status < 300) co_return;
    if (status < 300 || status >= 400 || location.empty())
      throw Error(ErrorKind::failed, url + " answered " + std::to_string(status));
    url = redirected(parts, location);
  }
  throw Error(ErrorKind::failed, url + " redirects too often");
}

}  // namespace

Probe http_get_probe(const std::string& text, const Subject& subject) {
  const auto url = text.front() == '/' ? "http://127.0.0.1:" + std::to_string(subject.port) + text : text;
  Probe probe;
  probe.attempt = [url] { return http_attempt(url); };
  return probe;
}

}  // namespace stackd::probes
