#include "daemon/process/engine_address.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "daemon/async/deadline.hpp"
#include "daemon/util/error.hpp"

namespace stackd::process {
namespace {

using asio::ip::tcp;
constexpr std::chrono::seconds k_resolve_limit{10};

awaitable<tcp::resolver::results_type> resolve(std::string name, std::string port) {
  tcp::resolver resolver(co_await asio::this_coro::executor);
  auto [error, found] = co_await resolver.async_resolve(name, port, tcp::resolver::numeric_service,
                                                        asio::as_tuple(use_awaitable));
  if (error)
    throw util::Error(util::ErrorKind::no_engine,
                      "cannot find the engine's host '" + name + "': " + error.message());
  co_return found;
}

// "name", "name:port", "[::1]:port"
std::pair<std::string, std::string> split_port(std::string text) {
  while (!text.empty() && text.back() == '/') text.pop_back();
  const auto colon = text.rfind(':');
  const auto bracket = text.rfind(']');
  const bool has_port = colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
  auto name = has_port ? text.substr(0, colon) : text;
  if (name.size() > 2 && name.front() == '[') name = name.substr(1, name.size() - 2);
  return {name, has_port ? text.substr(colon + 1) : "2375"};
}

}  // namespace

awaitable<std::vector<std::string>> engine_addresses(std::string host) {
  std::vector<std::string> addresses;
  if (host.empty()) host = "unix:///var/run/docker.sock";
  if (host.rfind("unix://", 0) == 0) {
    addresses.push_back("unix:" + host.substr(7));
    co_return addresses;
  }
  if (host.rfind("tcp://", 0) != 0)
    throw util::Error(util::ErrorKind::invalid_request, "cannot run a command in a container: engine host '" +
                                                            host + "' is neither unix:// nor tcp://");
  const auto [name, port] = split_port(host.substr(6));
  boost::system::error_code not_numeric;
  const auto address = asio::ip::make_address(name, not_numeric);
  if (!not_numeric) {
    addresses.push_back("tcp:" + address.to_string() + " " + port);
    co_return addresses;
  }
  const auto found =
      co_await async::within(k_resolve_limit, "cannot find the engine's host", resolve(name, port));
  for (const auto& entry : found)
    addresses.push_back("tcp:" + entry.endpoint().address().to_string() + " " + port);
  co_return addresses;
}

}  // namespace stackd::process
