#include "client/commands/shared.hpp"

#include <algorithm>

#include "client/error.hpp"
#include "client/text.hpp"
#include "proto/time.hpp"

namespace stackd::client {

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

std::string age_text(const std::string& rfc3339) {
  const auto at = proto::parse_time(rfc3339);
  if (!at) return {};
  const auto seconds = std::max<std::int64_t>(now_ms() - *at, 0) / 1000;
  if (seconds < 60) return std::to_string(seconds) + "s";
  const auto days = seconds / 86'400;
  return days > 1 ? std::to_string(days) + "d" : duration_text(seconds * 1000);
}

void show_stack(const Context& context, const proto::Stack& stack, bool ages) {
  std::string profile = stack.profile.empty() ? "" : ", profile " + stack.profile;
  context.out(paint(stack.name, Tone::bold, context.colour()) + " is " +
              paint(stack.status, tone_of(stack.status), context.colour()) + "  " +
              paint("(" + stack.id + profile + ") " + stack.directory, Tone::dim, context.colour()) + "\n");
  if (stack.services.empty()) return;
  if (!stack.as_of.empty())
    context.out(paint("the engine does not answer; what is known is of " + clock_text(stack.as_of),
                      Tone::warn, context.colour()) +
                "\n");
  Table table(ages ? std::vector<std::string>{"SERVICE", "KIND", "STATUS", "FOR", "PORTS"}
                   : std::vector<std::string>{"SERVICE", "KIND", "STATUS", "PORTS"});
  for (const auto& service : stack.services) {
    std::string last = ports_text(service);
    if (!service.waiting_for.empty())
      last += (last.empty() ? "" : "  ") + ("waits for " + service.waiting_for);
    if (!service.reason.empty()) last += (last.empty() ? "" : "  ") + service.reason;
    std::string status = service.status;
    if (service.exit_code && (status == "exited" || status == "failed"))
      status += " (" + std::to_string(*service.exit_code) + ")";
    if (!service.known_status.empty()) status += " (" + service.known_status + ")";
    std::vector<std::string> row{service.name, service.kind, status};
    if (ages) row.push_back(age_text(service.since));
    row.push_back(last);
    table.add(row, tone_of(service.status), 2);
  }
  context.out(table);
}

std::uint64_t log_place(const Head& head, std::uint64_t wanted) {
  const auto text = head.header("stackd-log-place");
  return text.empty() ? wanted : std::strtoull(text.c_str(), nullptr, 10);
}

void tell_lost(const Context& context, bool first) {
  if (first) context.err("lost the daemon; waiting for it to come back\n");
}

void show_outcome(const Context& context, const proto::Operation& operation) {
  if (context.json()) return;  // the document says it all
  // Warnings were shown as they came, unless the operation was over before it could be followed.
  if (operation.error && operation.state == "failed") {
    print_error(operation.error->message, operation.error->details);
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
