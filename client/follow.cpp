#include "client/follow.hpp"

#include <poll.h>

#include <algorithm>
#include <optional>

#include "client/error.hpp"
#include "client/interrupts.hpp"
#include "client/sse.hpp"

namespace stackd::client {
namespace {

using namespace std::chrono_literals;

// An event stream that survives its connections: it goes on after the last event that was seen.
class EventStream {
public:
  EventStream(Api& api, std::string target, std::string last_id, std::chrono::milliseconds reconnect_for)
      : api_(api), target_(std::move(target)), last_id_(std::move(last_id)), reconnect_for_(reconnect_for) {}

  // Waits for the next bytes and hands over the events in them. `interrupted` and `timed_out` as
  // Connection::read; `end` when the daemon is away: call pause() then. Throws when it refuses or has been
  // away for too long.
  Read pump(Deadline deadline, int wake, const OnEvent& on_event) {
    try {
      if (!stream_) {
        stream_.emplace(api_.stream(target_, "text/event-stream", last_id_));
        parser_ = {};
      }
      std::string bytes;
      Read got = stream_->connection.read(bytes, deadline, wake);
      if (got == Read::data) {
        lost_at_.reset();
        pause_ = k_first_pause;
        parser_.feed(bytes, [&](const SseEvent& event) { deliver(event, on_event); });
      }
      if (got != Read::end) return got;
      lose("the daemon ended the stream");
    } catch (const TransportError& error) {
      lose(error.what());
    } catch (const ApiError& error) {
      // A daemon that is about to stop, or not yet there, says so in this way.
      if (error.problem().status != 503 || !lost_at_) throw;
      lose(error.what());
    }
    return Read::end;
  }

  // A moment before the next try; true when `wake` became readable.
  bool pause(int wake) {
    pollfd fd{wake, POLLIN, 0};
    bool woken = ::poll(&fd, wake >= 0 ? 1 : 0, static_cast<int>(pause_.count())) > 0;
    pause_ = std::min<std::chrono::milliseconds>(pause_ * 2, 500ms);
    return woken;
  }

private:
  static constexpr std::chrono::milliseconds k_first_pause{20};

  void lose(const std::string& why) {
    stream_.reset();
    auto now = std::chrono::steady_clock::now();
    if (!lost_at_) lost_at_ = now;
    if (now - *lost_at_ > reconnect_for_)
      throw ClientError(proto::k_no_daemon, "lost the daemon, and it did not come back (" + why +
                                                "): `stackctl status` shows what became of the stack");
  }

  void deliver(const SseEvent& raw, const OnEvent& on_event) {
    if (!raw.id.empty()) last_id_ = raw.id;
    proto::Event event;
    try {
      event = nlohmann::json::parse(raw.data).get<proto::Event>();
    } catch (const nlohmann::json::exception& error) {
      throw ClientError(proto::k_operation_failed,
                        std::string("cannot read an event of the daemon: ") + error.what());
    }
    if (event.sequence != 0 && event.sequence <= newest_) return;  // told before the connection was lost
    newest_ = std::max(newest_, event.sequence);
    on_event(event, raw.data);
  }

  Api& api_;
  std::string target_, last_id_;
  std::chrono::milliseconds reconnect_for_, pause_ = k_first_pause;
  std::optional<Api::Stream> stream_;
  SseParser parser_;
  std::optional<std::chrono::steady_clock::time_point> lost_at_;
  std::int64_t newest_ = 0;
};

class Follower {
public:
  Follower(Api& api, const std::string& operation, Progress& progress, const FollowPolicy& policy)
      : control_(api.endpoint(), nullptr, 0ms),  // lost daemons are waited for here
        operation_(operation),
        progress_(progress),
        policy_(policy),
        stream_(api, target::operation_events(operation), "0", policy.reconnect_for) {}

  Followed run() {
    while (!ended_ && !result_.left) {
      auto tick = progress_.tick_every();
      Read got =
          stream_.pump(tick ? in(*tick) : k_never, interrupts_.fd(),
                       [this](const proto::Event& event, const std::string& text) { take(event, text); });
      if (got == Read::data) {
        told_ = false;
      } else if (got == Read::end && !ended_) {
        ended_ = is_over();
        if (!ended_ && !told_) progress_.note("lost the daemon; waiting for it to come back");
        told_ = true;
        if (!ended_) stream_.pause(interrupts_.fd());
      }
      if (got != Read::data) progress_.tick();
      on_interrupts();
      if (cancel_wanted_) cancel();
    }
    progress_.finish();
    result_.document = last_document();
    result_.operation = nlohmann::json::parse(result_.document).get<proto::Operation>();
    return result_;
  }

private:
  void take(const proto::Event& event, const std::string& text) {
    progress_.event(event, text);
    if (event.kind == "step.ended" && progress_.tick_every()) tell_plan(event);
    if (event.kind == "operation.ended" && event.operation == operation_) ended_ = true;
  }

  // The steps follow from those that plan; a view of them is no reason to fail.
  void tell_plan(const proto::Event& event) {
    const auto kind = event.data.is_object() ? event.data.value("kind", "") : "";
    if (!kind.starts_with("plan")) return;
    try {
      progress_.planned(control_.operation(operation_));
    } catch (const std::exception&) {
    }
  }

  // Whether a stream that ended had nothing more to tell, because the operation's events are no longer kept.
  bool is_over() {
    try {
      return control_.operation(operation_).state != "running";
    } catch (const TransportError&) {
      return false;
    }
  }

  void on_interrupts() {
    for (int i = interrupts_.take(); i > 0; --i) {
      if (policy_.interrupt_cancels && !result_.cancelled) {
        result_.cancelled = cancel_wanted_ = true;
        progress_.note("cancelling: what was started is taken away; Ctrl-C again leaves that to the daemon");
      } else {
        result_.left = true;
      }
    }
  }

  void cancel() {
    try {
      control_.cancel(operation_);
      cancel_wanted_ = false;
    } catch (const TransportError&) {
      // The daemon is away: asked again when it is back.
    } catch (const ApiError&) {
      cancel_wanted_ = false;  // it has ended already, and its events will say how
    }
  }

  // The end is in the store, so a daemon that dies right after it still has the document.
  std::string last_document() {
    Deadline give_up = in(result_.left ? 1s : policy_.reconnect_for);
    while (true) {
      try {
        return control_.get(target::operation(operation_));
      } catch (const TransportError& error) {
        if (result_.left)
          return nlohmann::json(proto::Operation{.id = operation_, .state = "running"}).dump();
        if (std::chrono::steady_clock::now() > give_up)
          throw ClientError(proto::k_no_daemon, std::string("lost the daemon: ") + error.what());
      }
      stream_.pause(interrupts_.fd());
      if (interrupts_.take() > 0) result_.left = true;
    }
  }

  Api control_;  // a connection beside the stream's
  std::string operation_;
  Progress& progress_;
  FollowPolicy policy_;
  Interrupts interrupts_;
  EventStream stream_;
  Followed result_;
  bool ended_ = false, told_ = false, cancel_wanted_ = false;
};

}  // namespace

Followed follow(Api& api, const std::string& operation, Progress& progress, const FollowPolicy& policy) {
  return Follower(api, operation, progress, policy).run();
}

void follow_events(Api& api, const std::string& target, const std::string& last_event_id,
                   std::chrono::milliseconds reconnect_for, const OnEvent& on_event) {
  EventStream stream(api, target, last_event_id, reconnect_for);
  while (true)
    if (stream.pump(k_never, -1, on_event) == Read::end) stream.pause(-1);
}

void read_log(Api& api, const LogReader& reader, bool follow, std::chrono::milliseconds reconnect_for) {
  std::optional<Deadline> give_up;
  std::chrono::milliseconds pause{0};
  bool begun = false;
  while (true) {
    std::string why;
    try {
      auto stream = api.stream(reader.target(), reader.accept);
      begun = true;
      if (reader.on_head) reader.on_head(stream.head);
      std::string bytes;
      while (stream.connection.read(bytes, k_never) == Read::data) {
        reader.on_bytes(bytes);
        bytes.clear();
        give_up.reset();
        pause = 0ms;
      }
      return;
    } catch (const TransportError& error) {
      if (!follow || !begun) throw;
      why = error.what();
    } catch (const ApiError& error) {
      // A daemon that is about to stop, or not yet there, says so in this way.
      if (!follow || !begun || error.problem().status != 503) throw;
      why = error.what();
    }
    reader.on_lost(!give_up);
    if (!give_up) give_up = in(reconnect_for);
    if (std::chrono::steady_clock::now() >= *give_up)
      throw ClientError(proto::k_no_daemon, "lost the daemon, and it did not come back (" + why +
                                                "): `stackctl status` shows what became of the stack");
    pause = std::clamp<std::chrono::milliseconds>(pause * 2, 20ms, 500ms);
    ::poll(nullptr, 0, static_cast<int>(pause.count()));
  }
}

}  // namespace stackd::client
