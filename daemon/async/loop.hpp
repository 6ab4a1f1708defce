// Loop: the io_context that the control thread runs, and the measure of everything that runs on it. A turn is
// what happens between two moments in which something else could run; none may take long, because everybody
// waits meanwhile. Control thread, but for stop().
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "daemon/async/asio.hpp"

namespace stackd::async {

struct Turns {
  std::uint64_t count = 0;
  std::uint64_t long_ones = 0;              // over k_long_turn of the thread's own time
  std::chrono::nanoseconds longest{};       // of the thread's own time, since the beginning
  std::string longest_what;                 // the task that had it
  std::chrono::nanoseconds longest_wall{};  // by the clock: waiting for a disk or for a processor counts too
  std::chrono::nanoseconds lag{};           // the most that a timer was ever late
  std::chrono::nanoseconds recent_lag{};    // the same, of the last ten seconds in which a timer fired
};

constexpr std::chrono::milliseconds k_long_turn{10}, k_warned_turn{50};

class Loop {
public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // What is given work by this one is measured, under the name "" or that of the task (named()).
  asio::any_io_executor executor() const;
  asio::io_context& context();
  void run();
  void stop();
  const Turns& turns() const;

  struct Meter;

private:
  std::unique_ptr<Meter> meter_;
  asio::io_context context_{1};
};

// The same executor for a task of this name, by which a long turn is told apart. One that is no Loop's comes
// back as it is.
asio::any_io_executor named(const asio::any_io_executor& executor, const std::string& name);
// A timer of this executor's loop was to fire then, and fires now.
void fired(const asio::any_io_executor& executor, std::chrono::steady_clock::time_point due);

}  // namespace stackd::async
