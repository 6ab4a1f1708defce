// What ends the commands and containers that clients run and have left: it is tried until it works. Control
// thread only.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "daemon/async/asio.hpp"

namespace stackd::stacks {

inline constexpr std::chrono::milliseconds k_endings_limit{
    4000};  // a daemon that stops waits for them as long

// Until `attempt` throws nothing, with pauses that grow from 200 ms to 10 s: the engine may be away. `what`:
// for the log. Throws only cancelled.
awaitable<void> try_until_it_works(std::string what, std::function<awaitable<void>()> attempt);

}  // namespace stackd::stacks
