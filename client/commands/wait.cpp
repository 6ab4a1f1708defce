// stackctl wait: until services are ready, healthy, stopped or have ended; what blocks when the time is out.
#include <algorithm>

#include "client/commands/commands.hpp"
#include "client/commands/shared.hpp"
#include "client/error.hpp"
#include "client/text.hpp"
#include "proto/exit_codes.hpp"

namespace stackd::client {
namespace {

// One question lasts no longer: a daemon that is replaced meanwhile is asked again.
constexpr std::int64_t k_slice = 20'000;

std::string target_of(const std::string& stack, const WaitArgs& args, std::int64_t milliseconds) {
  auto target =
      target::stack(stack) + "/wait?for=" + args.wanted + "&timeout_ms=" + std::to_string(milliseconds);
  for (const auto& service : args.services) target += "&service=" + percent_encode(service);
  return target;
}

void show_blocking(Context& context, const proto::Waited& waited) {
  for (const auto& blocking : waited.blocking) {
    auto line = blocking.service + " is " + blocking.status;
    if (const auto age = age_text(blocking.since); !age.empty()) line += " for " + age;
    if (!blocking.reason.empty()) line += ": " + clean(blocking.reason);
    if (!blocking.waiting_for.empty()) line += ", waits for " + clean(blocking.waiting_for);
    context.err(line + "\n");
  }
}

}  // namespace

int run_wait(Context& context, const WaitArgs& args) {
  const auto limit = parse_duration(args.timeout);
  if (!limit)
    throw ClientError(proto::k_bad_usage,
                      "--timeout must be a duration, as in 90s or 2m, not '" + args.timeout + "'");
  const auto stack = context.stack();
  const auto end = now_ms() + *limit;
  for (;;) {
    const auto left = std::max<std::int64_t>(end - now_ms(), 0);
    const auto text = context.api().get(target_of(stack.id, args, std::min(left, k_slice)));
    const auto waited = nlohmann::json::parse(text).get<proto::Waited>();
    if (!waited.reached && now_ms() < end) continue;
    if (context.json()) context.document(text);
    if (waited.reached) return proto::k_done;
    if (!context.json()) {
      context.err("stack '" + stack.name + "' is not " + args.wanted + " within " + duration_text(*limit) +
                  "\n");
      show_blocking(context, waited);
    }
    return proto::k_operation_failed;
  }
}

}  // namespace stackd::client
