#include "daemon/async/user_files.hpp"

#include <future>

#include "daemon/async/deadline.hpp"
#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/loop_thread.hpp"

using namespace stackd;
using namespace std::chrono_literals;

TEST_CASE("work on files gives its result, or throws what it threw", "[async][user_files]") {
  test::LoopThread loop;
  async::UserFiles files(loop.executor());
  CHECK(loop.run<int>([&] {
    auto work = [] { return 42; };
    return files.run(work);
  }) == 42);
  CHECK_THROWS_AS(loop.run<int>([&] {
    auto work = []() -> int { throw util::Error(util::ErrorKind::io, "no"); };
    return files.run(work);
  }),
                  util::Error);
  CHECK(loop.call([&] { return files.busy(); }) == 0);
}

TEST_CASE("one that hangs holds up no other, and who gives it up goes on at once", "[async][user_files]") {
  std::promise<void> go;
  auto gate = go.get_future().share();
  auto over = std::make_shared<std::promise<void>>();
  {
    test::LoopThread loop;
    async::UserFiles files(loop.executor());
    auto hang = [gate, over] {
      gate.wait();
      over->set_value();
      return 1;
    };
    const auto given_up = [&]() -> awaitable<bool> {
      try {
        auto work = files.run(hang);
        co_await async::within(20ms, "a file", std::move(work));
      } catch (const util::Error& error) {
        co_return error.kind() == util::ErrorKind::timed_out;
      }
      co_return false;
    };
    CHECK(loop.run<bool>(given_up));
    CHECK(loop.call([&] { return files.busy(); }) == 1);
    CHECK(loop.run<int>([&] {
      auto work = [] { return 7; };
      return files.run(work);
    }) == 7);
  }
  // The loop and the files are gone; the thread ends without touching either.
  go.set_value();
  over->get_future().get();
}
