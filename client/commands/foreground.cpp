#include "client/commands/foreground.hpp"

#include <poll.h>

#include <algorithm>
#include <optional>
#include <set>

#include "client/commands/containers.hpp"
#include "client/commands/shared.hpp"
#include "client/error.hpp"
#include "client/interrupts.hpp"
#include "client/sse.hpp"
#include "client/text.hpp"
#include "proto/time.hpp"

namespace stackd::client {
namespace {

using namespace std::chrono_literals;

constexpr int k_tick = 500;           // milliseconds until a daemon that is lost is looked for again
constexpr int k_while_stopping = 50;  // between two looks at whether the stop has ended
constexpr auto k_last_words = 300ms;  // a log is quiet for so long: it has told all

bool has_ended(const proto::Service& service) {
  static const std::set<std::string> k_ended{"completed", "exited", "failed", "stopped", "down"};
  return k_ended.contains(service.status);
}

// What happens in a stack, as something to poll for: only that something does.
class Happenings {
public:
  Happenings(Api& api, std::string stack) : api_(api), target_("/v1/events?stack=" + percent_encode(stack)) {}

  int fd() const { return stream_ ? stream_->connection.fd() : -1; }
  // Whether anything has happened since; also when the daemon was lost, or is back.
  bool any() {
    bool some = false;
    try {
      if (!stream_) {
        stream_.emplace(api_.stream(target_, "text/event-stream"));
        some = true;
      }
      std::string bytes;
      for (Read got = Read::data; got == Read::data;) {
        got = stream_->connection.read(bytes, std::chrono::steady_clock::now());
        if (got == Read::end) stream_.reset();
        if (got == Read::end) break;
      }
      parser_.feed(bytes, [&](const SseEvent&) { some = true; });
    } catch (const TransportError&) {
      stream_.reset();
    } catch (const ApiError& error) {
      if (error.problem().status != 503) throw;
      stream_.reset();
    }
    return some;
  }

private:
  Api& api_;
  std::string target_;
  std::optional<Api::Stream> stream_;
  SseParser parser_;
};

class Foreground {
public:
  Foreground(Context& context, const proto::Operation& up, const std::vector<std::string>& services,
             const ForegroundArgs& args)
      : context_(context),
        args_(args),
        stack_(context.api().stack(up.stack)),
        wanted_(services),
        // A connection of its own: that of the context may be in the middle of an answer.
        watching_(context.endpoint()),
        happenings_(watching_, stack_.id) {
    for (const auto& name : args.attach) check_service(stack_, name);
    for (const auto& name : args.no_attach) check_service(stack_, name);
    if (!args.exit_code_from.empty()) check_service(stack_, args.exit_code_from);
    for (const auto& service : stack_.services)
      if (is_attached(service.name)) attached_.push_back(service.name);
    proto::LogsRequest request;
    request.services = attached_;
    request.since = up.started_at;
    if (!attached_.empty()) log_.emplace(context, stack_, std::move(request), args.look);
  }

  int run() {
    happenings_.any();  // from here on nothing is missed
    look();
    while (!ending_) {
      wait(k_tick);
      if (interrupts_.take() > 0) stop(std::nullopt);
      if (happenings_.any()) look();
    }
    return finish();
  }

private:
  bool is_among(const std::vector<std::string>& names, const std::string& name) const {
    return std::find(names.begin(), names.end(), name) != names.end();
  }
  bool is_attached(const std::string& name) const {
    if (is_among(args_.no_attach, name)) return false;
    if (!args_.attach.empty()) return is_among(args_.attach, name);
    return wanted_.empty() || args_.attach_dependencies || is_among(wanted_, name);
  }

  // What has come of the log is shown, and the rest is waited for.
  void wait(int milliseconds) {
    if (log_ && log_->read()) return;
    pollfd fds[3] = {
        {log_ ? log_->fd() : -1, POLLIN, 0}, {happenings_.fd(), POLLIN, 0}, {interrupts_.fd(), POLLIN, 0}};
    ::poll(fds, 3, milliseconds);
    if (log_) log_->read();
  }

  void look() {
    proto::Stack now;
    try {
      now = watching_.stack(stack_.id);
    } catch (const TransportError&) {
      return;  // it is looked for again
    }
    std::vector<const proto::Service*> ended;
    bool all = true;
    for (const auto& service : now.services) {
      const bool counts = wanted_.empty() || args_.attach_dependencies || is_among(wanted_, service.name) ||
                          service.name == args_.exit_code_from;
      if (!counts) continue;
      all = all && has_ended(service);
      if (has_ended(service)) ended.push_back(&service);
    }
    std::stable_sort(ended.begin(), ended.end(), [](const auto* a, const auto* b) {
      return proto::parse_time(a->since).value_or(0) < proto::parse_time(b->since).value_or(0);
    });
    for (const auto* service : ended) tell_end(*service);
    for (const auto* service : ended)
      if (args_.aborts() &&
          (!args_.abort_on_failure || service->exit_code.value_or(0) != 0 || args_.abort_on_exit))
        return stop(*service);
    if (all) ending_ = true;
  }

  void tell_end(const proto::Service& service) {
    if (!told_.insert(service.name).second || !service.exit_code || context_.json()) return;
    if (log_) log_->read();
    context_.out(service.name + " exited with code " + std::to_string(*service.exit_code) + "\n");
  }

  // Ends the others because one has ended, or all because of Ctrl-C, whose second one kills them.
  void stop(const std::optional<proto::Service>& because) {
    ending_ = true;
    interrupted_ = !because;
    first_ = because ? because->exit_code.value_or(0) : 0;
    if (!context_.json())
      context_.err(because ? "stopping the others: " + because->name + " has ended\n"
                           : "stopping (Ctrl-C again kills)\n");
    proto::Operation stopping;
    try {
      stopping = watching_.services(stack_.id, "stop", {.services = wanted_, .timeout = {}});
    } catch (const ApiError& error) {
      // Somebody else is at it already: that one's end is as good.
      if (error.problem().code != "conflict" || error.problem().operation.empty()) throw;
      stopping = watching_.operation(error.problem().operation);
    }
    while (stopping.state == "running") {
      wait(k_while_stopping);
      if (interrupts_.take() > 0) kill();
      stopping = watching_.operation(stopping.id);
    }
    if (stopping.state != "succeeded") show_outcome(context_, stopping);
  }

  void kill() {
    proto::ContainersRequest request;
    request.services = wanted_;
    request.no_wait = true;
    watching_.post_patiently(target::stack(stack_.id) + "/kill", nlohmann::json(request).dump());
  }

  int finish() {
    const auto until = [] { return std::chrono::steady_clock::now() + k_last_words; };
    for (auto quiet_at = until(); log_ && std::chrono::steady_clock::now() < quiet_at;) {
      if (log_->read()) quiet_at = until();
      pollfd fd{log_->fd(), POLLIN, 0};
      if (fd.fd < 0) break;
      ::poll(&fd, 1, 20);
    }
    if (interrupted_) return proto::k_cancelled;
    if (args_.exit_code_from.empty()) return first_;
    for (const auto& service : watching_.stack(stack_.id).services)
      if (service.name == args_.exit_code_from) return service.exit_code.value_or(0);
    return first_;
  }

  Context& context_;
  const ForegroundArgs& args_;
  proto::Stack stack_;
  std::vector<std::string> wanted_, attached_;
  Api watching_;
  Happenings happenings_;
  Interrupts interrupts_;
  std::optional<FollowedLog> log_;
  std::set<std::string> told_;
  bool ending_ = false, interrupted_ = false;
  int first_ = 0;  // the exit code of what ended first
};

}  // namespace

int stay_attached(Context& context, const proto::Operation& up, const std::vector<std::string>& services,
                  const ForegroundArgs& args) {
  return Foreground(context, up, services, args).run();
}

}  // namespace stackd::client
