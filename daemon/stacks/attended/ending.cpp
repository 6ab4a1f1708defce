#include "daemon/stacks/attended/ending.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "daemon/async/deadline.hpp"
#include "daemon/util/error.hpp"

namespace stackd::stacks {
namespace {

constexpr std::chrono::milliseconds k_first_pause{200}, k_longest_pause{10'000};

}  // namespace

awaitable<void> try_until_it_works(std::string what, std::function<awaitable<void>()> attempt) {
  for (auto pause = k_first_pause;; pause = std::min(2 * pause, k_longest_pause)) {
    try {
      co_return co_await attempt();
    } catch (const util::Error& error) {
      if (error.kind() == util::ErrorKind::cancelled) throw;
      spdlog::debug("{}: cannot be ended yet: {}", what, error.what());
    }
    co_await async::sleep_for(pause);
  }
}

}  // namespace stackd::stacks
