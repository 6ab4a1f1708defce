// A TCP connection for a probe, on Beast. Private to the probes that make one.
#pragma once

#include <boost/beast/core/tcp_stream.hpp>
#include <chrono>
#include <string>

#include "daemon/async/asio.hpp"

namespace stackd::probes {

constexpr std::chrono::milliseconds k_attempt_limit{5000};

// Throws Error(failed) with what is in the way.
awaitable<void> connect(boost::beast::tcp_stream& stream, std::string host, std::string port);

}  // namespace stackd::probes
