#include "daemon/async/loop.hpp"

#include <spdlog/spdlog.h>
#include <time.h>

#include <algorithm>

namespace stackd::async {

using std::chrono::nanoseconds;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds k_recent{10};

nanoseconds thread_time() {
  timespec at{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return std::chrono::seconds(at.tv_sec) + nanoseconds(at.tv_nsec);
}

}  // namespace

struct Loop::Meter {
  Turns turns;
  int depth = 0;
  Clock::time_point recent_since;

  // A turn may run others in place: the outermost counts.
  class Turn {
  public:
    Turn(Meter& meter, const std::string* name) : meter_(meter), name_(name), outermost_(meter.depth++ == 0) {
      if (!outermost_) return;
      wall_ = Clock::now();
      used_ = thread_time();
    }
    ~Turn() {
      --meter_.depth;
      if (outermost_) meter_.ended(thread_time() - used_, Clock::now() - wall_, name_);
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

  private:
    Meter& meter_;
    const std::string* name_;
    bool outermost_;
    Clock::time_point wall_;
    nanoseconds used_{};
  };

  void ended(nanoseconds used, nanoseconds wall, const std::string* name) {
    ++turns.count;
    turns.longest_wall = std::max(turns.longest_wall, wall);
    if (used > turns.longest) {
      turns.longest = used;
      turns.longest_what = name ? *name : "";
    }
    if (used <= k_long_turn) return;
    ++turns.long_ones;
    if (used > k_warned_turn)
      spdlog::warn("'{}' kept everything else waiting for {} ms", name ? *name : "a handler without a name",
                   std::chrono::duration_cast<std::chrono::milliseconds>(used).count());
  }
};

namespace {

// An executor that measures what it runs. `Inner` is the io_context's, whatever its properties.
template <class Inner>
class Measured {
public:
  Measured(Inner inner, Loop::Meter* meter, std::shared_ptr<const std::string> name)
      : inner_(std::move(inner)), meter_(meter), name_(std::move(name)) {}

  template <class Property>
  auto query(const Property& property) const
      -> decltype(asio::query(std::declval<const Inner&>(), property)) {
    return asio::query(inner_, property);
  }
  template <class Property>
  auto require(const Property& property) const
      -> Measured<std::decay_t<decltype(asio::require(std::declval<const Inner&>(), property))>> {
    return {asio::require(inner_, property), meter_, name_};
  }
  template <class Property>
  auto prefer(const Property& property) const
      -> Measured<std::decay_t<decltype(asio::prefer(std::declval<const Inner&>(), property))>> {
    return {asio::prefer(inner_, property), meter_, name_};
  }
  template <class Function>
  void execute(Function&& function) const {
    inner_.execute([function = std::forward<Function>(function), meter = meter_, name = name_]() mutable {
      const Loop::Meter::Turn turn(*meter, name.get());
      std::move(function)();
    });
  }
  friend bool operator==(const Measured& a, const Measured& b) noexcept {
    return a.inner_ == b.inner_ && a.name_ == b.name_;
  }
  friend bool operator!=(const Measured& a, const Measured& b) noexcept { return !(a == b); }

  Measured with_name(const std::string& name) const {
    return {inner_, meter_, std::make_shared<const std::string>(name)};
  }
  Loop::Meter* meter() const { return meter_; }

private:
  Inner inner_;
  Loop::Meter* meter_;
  std::shared_ptr<const std::string> name_;
};

using LoopExecutor = Measured<asio::io_context::executor_type>;

}  // namespace

Loop::Loop() : meter_(std::make_unique<Meter>()) {}
Loop::~Loop() = default;

asio::any_io_executor Loop::executor() const {
  return LoopExecutor(const_cast<asio::io_context&>(context_).get_executor(), meter_.get(), nullptr);
}
asio::io_context& Loop::context() {
  return context_;
}
void Loop::run() {
  context_.run();
}
void Loop::stop() {
  context_.stop();
}
const Turns& Loop::turns() const {
  return meter_->turns;
}

asio::any_io_executor named(const asio::any_io_executor& executor, const std::string& name) {
  const auto* measured = executor.target<LoopExecutor>();
  return measured ? asio::any_io_executor(measured->with_name(name)) : executor;
}

void fired(const asio::any_io_executor& executor, Clock::time_point due) {
  const auto* measured = executor.target<LoopExecutor>();
  if (!measured) return;
  auto& meter = *measured->meter();
  const auto now = Clock::now();
  const nanoseconds late = std::max(now - due, Clock::duration::zero());
  if (now - meter.recent_since > k_recent) {
    meter.recent_since = now;
    meter.turns.recent_lag = {};
  }
  meter.turns.recent_lag = std::max(meter.turns.recent_lag, late);
  meter.turns.lag = std::max(meter.turns.lag, late);
}

}  // namespace stackd::async
