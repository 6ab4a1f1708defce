#include "daemon/async/task_group.hpp"
#include "daemon/async/wind_up.hpp"

#include <stdexcept>

#include "daemon/async/deadline.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_coro.hpp"

using namespace stackd;
using namespace stackd::async;
using namespace std::chrono_literals;

TEST_CASE("a signal wakes all who wait, and remembers nothing", "[async]") {
  const auto body = [](asio::any_io_executor executor) -> awaitable<int> {
    Signal signal(executor);
    signal.notify();  // nobody waits: it is not kept for whoever comes
    const bool woken = co_await signal.wait_for(1ms);
    CHECK_FALSE(woken);
    int seen = 0;
    TaskGroup group(executor);
    for (int i = 0; i < 3; ++i)
      group.spawn("waiter", [&]() -> awaitable<void> {
        co_await signal.wait();
        ++seen;
      });
    group.spawn("notifier", [&]() -> awaitable<void> {
      signal.notify();
      co_return;
    });
    co_await group.join();
    co_return seen;
  };
  CHECK(test::run_coro([&](auto executor) { return body(executor); }) == 3);
}

TEST_CASE("a group that is cancelled and joined has no task left, however deep they wait", "[async]") {
  const auto body = [](asio::any_io_executor executor) -> awaitable<int> {
    TaskGroup group(executor);
    int ended = 0, begun = 0;
    Signal arrived(executor);
    struct Count {
      int& ended;
      ~Count() { ++ended; }
    };
    for (int i = 0; i < 5; ++i)
      group.spawn("sleeper", [&]() -> awaitable<void> {
        const Count count{ended};
        ++begun;
        arrived.notify();
        co_await sleep_for(1h);
      });
    while (begun < 5) co_await arrived.wait();
    CHECK(group.size() == 5);
    group.cancel_all();
    co_await group.join();
    CHECK(group.size() == 0);
    co_return ended;
  };
  CHECK(test::run_coro([&](auto executor) { return body(executor); }) == 5);
}

namespace {

awaitable<int> number_after(std::chrono::milliseconds pause, int number) {
  co_await sleep_for(pause);
  if (number < 0) throw std::runtime_error("no number");
  co_return number;
}

// A group with a task that sleeps for ever, during `pause`; says when it has come to its end.
awaitable<void> during_sleep(asio::any_io_executor executor, std::chrono::milliseconds pause, bool& joined,
                             bool& begun) {
  TaskGroup group(executor);
  group.spawn("sleeper", [] { return sleep_for(1h); });
  struct Look {
    TaskGroup& group;
    bool& joined;
    ~Look() { joined = group.size() == 0; }
  } look{group, joined};
  begun = true;
  auto sleeping = sleep_for(pause);
  co_await group.during(std::move(sleeping));
}

}  // namespace

TEST_CASE("tasks live during a body: they have ended when it gives its result, throws, or is cancelled",
          "[async]") {
  const auto body = [](asio::any_io_executor executor) -> awaitable<void> {
    TaskGroup group(executor);
    group.spawn("sleeper", [] { return sleep_for(1h); });
    auto seven = number_after(5ms, 7);
    const auto number = co_await group.during(std::move(seven));
    CHECK(number == 7);
    CHECK(group.size() == 0);

    group.spawn("sleeper", [] { return sleep_for(1h); });
    std::string thrown;
    try {
      auto none = number_after(5ms, -1);
      co_await group.during(std::move(none));
    } catch (const std::runtime_error& e) {
      thrown = e.what();
    }
    CHECK(thrown == "no number");
    CHECK(group.size() == 0);

    bool joined = false;
    TaskGroup outer(executor);
    bool begun = false;
    outer.spawn("cancelled",
                [executor, &joined, &begun] { return during_sleep(executor, 1h, joined, begun); });
    CHECK(begun);
    outer.cancel_all();
    co_await outer.join();
    CHECK(joined);
  };
  test::run_coro([&](auto executor) { return body(executor); });
}

TEST_CASE("one task of a group is cancelled by its handle, the others go on", "[async]") {
  const auto body = [](asio::any_io_executor executor) -> awaitable<std::string> {
    TaskGroup group(executor);
    std::string order;
    Signal go(executor), arrived(executor);
    int waiting = 0;
    const auto task = [&](const char* name) {
      return [&, name]() -> awaitable<void> {
        ++waiting;
        arrived.notify();
        try {
          co_await go.wait();
        } catch (...) {
          --waiting;
          arrived.notify();
          throw;
        }
        order += name;
      };
    };
    const auto first = group.spawn("first", task("first "));
    group.spawn("second", task("second "));
    while (waiting < 2) co_await arrived.wait();
    group.cancel(first);
    while (waiting > 1) co_await arrived.wait();
    go.notify();
    co_await group.join();
    co_return order;
  };
  CHECK(test::run_coro([&](auto executor) { return body(executor); }) == "second ");
}

TEST_CASE("a wait with a limit ends by what comes first, and its task is gone with it", "[async]") {
  const auto body = [](asio::any_io_executor executor) -> awaitable<void> {
    bool gone = false;
    struct Mark {
      bool& gone;
      ~Mark() { gone = true; }
    };
    const auto slow = [&gone]() -> awaitable<int> {
      const Mark mark{gone};
      co_await sleep_for(1h);
      co_return 1;
    };
    auto waiting = slow();
    std::string message;
    try {
      co_await within(2ms, "the answer", std::move(waiting));
    } catch (const util::Error& error) {
      message = error.what();
      CHECK(error.kind() == util::ErrorKind::timed_out);
    }
    CHECK(message == "the answer: no answer within 2 ms");
    CHECK(gone);
    const auto quick = []() -> awaitable<int> { co_return 7; };
    auto answer = quick();
    const int got = co_await within(1min, "the answer", std::move(answer));
    CHECK(got == 7);
    const auto fails = []() -> awaitable<int> {
      co_await sleep_for(1ms);
      throw util::Error(util::ErrorKind::failed, "no answer to be had");
    };
    auto failing = fails();
    message.clear();
    const auto begun = std::chrono::steady_clock::now();
    try {
      co_await within(1min, "the answer", std::move(failing));
    } catch (const util::Error& error) {
      message = error.what();
    }
    CHECK(message == "no answer to be had");
    CHECK(std::chrono::steady_clock::now() - begun < 30s);  // at once, and not when the limit is over
    (void)executor;
  };
  test::run_coro([&](auto executor) { return body(executor); });
}

TEST_CASE("a group is wound up when its tasks have ended, and at its limit those that have not are cancelled",
          "[async]") {
  const auto body = [](asio::any_io_executor executor) -> awaitable<void> {
    TaskGroup group(executor);
    bool done = false;
    group.spawn("short", [&done]() -> awaitable<void> {
      co_await sleep_for(1ms);
      done = true;
    });
    const auto begun = std::chrono::steady_clock::now();
    co_await wind_up(group, 1min);
    CHECK(done);
    CHECK(std::chrono::steady_clock::now() - begun < 30s);
    bool late = false;
    group.spawn("long", [&late]() -> awaitable<void> {
      co_await sleep_for(1h);
      late = true;
    });
    co_await wind_up(group, 5ms);
    CHECK(group.size() == 0);
    CHECK_FALSE(late);
  };
  test::run_coro([&](auto executor) { return body(executor); });
}

TEST_CASE("a loop that is kept is started again when it throws, whatever it throws, until it is cancelled",
          "[async]") {
  const auto body = [](asio::any_io_executor executor) -> awaitable<void> {
    TaskGroup group(executor);
    Signal changed(executor);
    int starts = 0;
    group.keep("loop", [&]() -> awaitable<void> {
      ++starts;
      changed.notify();
      if (starts == 1) throw std::runtime_error("a full disk");
      if (starts == 2) throw 5;
      // A wait that was aborted by somebody else is no cancellation of the loop.
      if (starts == 3) throw boost::system::system_error(asio::error::operation_aborted);
      for (;;) co_await sleep_for(1h);
    });
    while (starts < 4) co_await changed.wait();
    CHECK(group.size() == 1);
    group.cancel_all();
    co_await group.join();
    CHECK(starts == 4);
  };
  test::run_coro([&](auto executor) { return body(executor); });
}

TEST_CASE("a loop that is kept is over when it returns, and when it is cancelled before it is started again",
          "[async]") {
  const auto body = [](asio::any_io_executor executor) -> awaitable<void> {
    TaskGroup group(executor);
    int starts = 0;
    group.keep("done", [&]() -> awaitable<void> {
      ++starts;
      co_return;
    });
    co_await group.join();
    CHECK(starts == 1);
    group.keep("broken", [&]() -> awaitable<void> {
      ++starts;
      throw std::runtime_error("again");
      co_return;
    });
    group.cancel_all();
    co_await group.join();
    CHECK(starts == 2);
  };
  test::run_coro([&](auto executor) { return body(executor); });
}
