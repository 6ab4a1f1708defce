#include "client/commands/shared.hpp"

#include <unistd.h>

#include <algorithm>

#include "client/error.hpp"
#include "client/text.hpp"
#include "proto/time.hpp"

namespace stackd::client {

namespace {
constexpr int k_widest = 160;
}  // namespace

std::string port_text(const proto::Port& port) {
  if (!port.url.empty()) return port.url;
  std::string text = port.host_ip.empty() ? "" : port.host_ip + ":";
  text += std::to_string(port.host_port);
  if (port.container_port != 0) text += "->" + std::to_string(port.container_port);
  if (port.protocol == "udp") text += "/udp";
  return text;
}

std::string ports_text(const proto::Service& service) {
  std::vector<std::string> parts;
  for (const auto& port : service.ports)
    if (port.host_port != 0 || !port.url.empty()) parts.push_back(port_text(port));
  return join(parts, ", ");
}

std::string for_how_long(const std::string& rfc3339) {
  const auto at = proto::parse_time(rfc3339);
  if (!at) return {};
  const auto seconds = std::max<std::int64_t>(now_ms() - *at, 0) / 1000;
  if (seconds < 60) return std::to_string(seconds) + "s";
  const auto days = seconds / 86'400;
  return days > 1 ? std::to_string(days) + "d" : duration_text(seconds * 1000);
}

namespace {

void show_head(const Context& context, const proto::Stack& stack) {
  std::string profile = stack.profile.empty() ? "" : ", profile " + stack.profile;
  context.out(paint(stack.name, Tone::bold, context.colour()) + " is " +
              paint(stack.status, tone_of(stack.status), context.colour()) + "  " +
              paint("(" + stack.id + profile + ") " + stack.directory, Tone::dim, context.colour()) + "\n");
}

std::string status_text(const proto::Service& service) {
  std::string status = service.status;
  if (service.exit_code && (status == "exited" || status == "failed"))
    status += " (" + std::to_string(*service.exit_code) + ")";
  if (!service.known_status.empty()) status += " (" + service.known_status + ")";
  return status;
}

// From the beginning of a service's first step to the end of its last; empty when nothing was done for it.
std::string took_text(const proto::Operation& operation, const std::string& service) {
  std::optional<std::int64_t> began, ended;
  for (const auto& step : operation.steps) {
    const auto from = proto::parse_time(step.started_at), to = proto::parse_time(step.ended_at);
    if (step.service != service || !from || !to) continue;
    began = began ? std::min(*began, *from) : *from;
    ended = ended ? std::max(*ended, *to) : *to;
  }
  return began ? duration_text(*ended - *began) : "";
}

// "slowest: before_up[0] 5.1s"; empty for an up that took no time worth a line.
std::string slowest_text(const proto::Operation& operation) {
  constexpr std::int64_t k_worth_it = 1000;
  const proto::StepView* slowest = nullptr;
  for (const auto& step : operation.steps)
    if (step.duration_ms && (!slowest || *step.duration_ms > *slowest->duration_ms)) slowest = &step;
  if (!slowest || *slowest->duration_ms < k_worth_it) return "";
  return "slowest: " + slowest->key + " " + duration_text(*slowest->duration_ms);
}

std::string ports_and_reasons(const proto::Service& service) {
  std::string text = ports_text(service);
  if (!service.waiting_for.empty()) text += (text.empty() ? "" : "  ") + ("waits for " + service.waiting_for);
  if (!service.reason.empty()) text += (text.empty() ? "" : "  ") + service.reason;
  return text;
}

}  // namespace

void show_up(const Context& context, const proto::Stack& stack, const proto::Operation& operation) {
  show_head(context, stack);
  if (stack.services.empty()) return;
  Table table({"SERVICE", "STATUS", "TOOK", "URL"});
  for (const auto& service : stack.services)
    table.add(
        {service.name, status_text(service), took_text(operation, service.name), ports_and_reasons(service)},
        tone_of(service.status), 1);
  context.out(table);
  if (const auto slowest = slowest_text(operation); !slowest.empty())
    context.out(paint(slowest, Tone::dim, context.colour()) + "\n");
}

void show_stack(const Context& context, const proto::Stack& stack) {
  show_head(context, stack);
  if (stack.services.empty()) return;
  if (!stack.as_of.empty())
    context.out(paint("the engine does not answer; what is known is of " + clock_text(stack.as_of),
                      Tone::warn, context.colour()) +
                "\n");
  Table table({"SERVICE", "KIND", "STATUS", "FOR", "PORTS"});
  for (const auto& service : stack.services) {
    table.add({service.name, service.kind, status_text(service), for_how_long(service.since),
               ports_and_reasons(service)},
              tone_of(service.status), 2);
  }
  context.out(table);
}

namespace {

constexpr std::size_t k_most = 10;  // lines of a failure
constexpr std::size_t k_shown = 6, k_last = 3,
                      k_others = 1;  // lines of a reason; the last of more; other failures

// A reason of many lines: its first, the one that says most, and the last.
std::string folded(const std::string& message, const std::string& telling) {
  const auto lines = lines_of(message);
  if (lines.size() <= k_shown) return message;
  std::vector<std::string> shown{lines.front()};
  const auto from = lines.size() - k_last;
  const bool before =
      !telling.empty() && lines.front().find(telling) == std::string::npos &&
      std::find(lines.begin() + static_cast<std::ptrdiff_t>(from), lines.end(), telling) == lines.end();
  if (before) shown.push_back(telling);
  shown.push_back("… " + counted(lines.size() - k_last - shown.size(), "line"));
  shown.insert(shown.end(), lines.begin() + static_cast<std::ptrdiff_t>(from), lines.end());
  return join(shown, "\n");
}

// Where to look next.
std::string next_commands(const proto::Operation& operation) {
  const auto& error = *operation.error;
  std::vector<std::string> next;
  const bool hook = !error.log.empty() && error.log.find("/hooks/") != std::string::npos;
  if (hook && !error.phase.empty())
    next.push_back("`stackctl logs " + (error.service.empty() ? "" : error.service + ".") + error.phase +
                   "`");
  else if (!error.service.empty())
    next.push_back("`stackctl logs " + error.service + "` shows what it wrote");
  if (operation.kind == "up" && !error.failures.empty())
    next.push_back("`stackctl up --keep` leaves what fails to be looked at");
  return join(next, "; ");
}

// The first cause once, within the last ten lines: what failed after it, where to look, and what went wrong
// on the way back are one line each.
void print_failure(const proto::Operation& operation) {
  const auto& error = *operation.error;
  const auto message = folded(error.message, error.reason);
  std::vector<std::string> more;
  for (std::size_t index = 1; index < error.failures.size() && index <= k_others; ++index)
    more.push_back("then: " + fit(clean(error.failures[index].message), k_widest));
  if (error.failures.size() > k_others + 1)
    more.push_back("and " + std::to_string(error.failures.size() - k_others - 1) + " more");
  if (!error.roll_back.empty())
    more.push_back("and on the way back: " + fit(clean(error.roll_back.front()), k_widest));
  if (const auto next = next_commands(operation); !next.empty()) more.push_back(next);
  // Of the details the last: what was written last, and where all of it is.
  const auto taken = lines_of(message).size() + more.size();
  const auto room = std::max<std::size_t>(2, k_most - std::min(k_most, taken));
  const auto from = error.failures.empty() ? 0 : error.details.size() - std::min(error.details.size(), room);
  more.insert(more.begin(), error.details.begin() + static_cast<std::ptrdiff_t>(from), error.details.end());
  print_error(message, more);
}

}  // namespace

std::uint64_t log_place(const Head& head, std::uint64_t wanted) {
  const auto text = head.header("stackd-log-place");
  return text.empty() ? wanted : std::strtoull(text.c_str(), nullptr, 10);
}

bool said_yes(const Context& context, const std::string& question) {
  if (!::isatty(0)) return true;
  context.out(question + "? [y/N] ");
  char answer[16] = {};
  ssize_t got = ::read(0, answer, sizeof answer - 1);
  return got > 0 && (answer[0] == 'y' || answer[0] == 'Y');
}

void tell_lost(const Context& context, bool first) {
  if (first) context.err("lost the daemon; waiting for it to come back\n");
}

void show_outcome(const Context& context, const proto::Operation& operation) {
  if (context.json()) return;  // the document says it all
  // Warnings were shown as they came, unless the operation was over before it could be followed.
  if (operation.error && operation.state == "failed") {
    print_failure(operation);
  } else if (operation.state == "failed") {
    print_error("the " + operation.kind + " failed", {});
  } else if (operation.state == "cancelled") {
    print_error("the " + operation.kind + " was cancelled", {});
  }
}

int finish_operation(Context& context, const proto::Operation& operation, const std::string& done) {
  if (operation.state != "running" && !context.json()) context.warn(operation.warnings);
  Context::End end = context.follow_to_end(operation, false);
  if (end.left) {
    context.err("the " + operation.kind + " goes on without us: `stackctl status` shows it\n");
    return end.exit_code;
  }
  show_outcome(context, end.operation);
  if (end.operation.state == "succeeded" && !context.json()) context.out(done + "\n");
  return end.exit_code;
}

}  // namespace stackd::client
