// One try at a thing that should answer: HTTP, TCP. Each throws Error(failed) that says what came back
// instead.
#pragma once

#include <chrono>
#include <string>

#include "daemon/async/asio.hpp"

namespace stackd::probes {

// GET an http:// URL; a 2xx answer passes, redirects are followed (L3.4).
awaitable<void> http_attempt(std::string url, std::chrono::milliseconds limit);
awaitable<void> tcp_attempt(std::string host, int port, std::chrono::milliseconds limit);

}  // namespace stackd::probes
