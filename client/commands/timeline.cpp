// stackctl timeline: an operation's steps as bars: when each began, how long it took.
#include <algorithm>

#include "client/commands/commands.hpp"
#include "client/error.hpp"
#include "client/text.hpp"
#include "proto/time.hpp"

namespace stackd::client {
namespace {

std::string bar(std::int64_t start, std::int64_t end, std::int64_t total, int width) {
  auto column = [&](std::int64_t at) {
    return static_cast<int>(at * width / std::max<std::int64_t>(total, 1));
  };
  int first = std::min(column(start), width - 1);
  int last = std::clamp(column(end), first + 1, width);
  std::string text(static_cast<std::size_t>(first), ' ');
  for (int i = first; i < last; ++i) text += "█";
  return text;
}

}  // namespace

int run_timeline(Context& context, const std::string& operation) {
  std::string id = operation;
  if (id.empty()) {
    proto::Stack stack = context.stack();
    if (!stack.last_operation) throw ClientError(proto::k_not_found, "this stack has had no operation yet");
    id = stack.last_operation->id;
  }
  if (context.json()) {
    context.document(context.api().get(target::operation(id)));
    return proto::k_done;
  }
  proto::Operation document = context.api().operation(id);
  std::int64_t begin = proto::parse_time(document.started_at).value_or(now_ms());
  std::int64_t end = proto::parse_time(document.ended_at).value_or(now_ms());
  context.out(
      document.kind + " " + paint(document.state, tone_of(document.state), context.colour()) + " " +
      paint("(" + document.id + ", " + duration_text(end - begin) + ")", Tone::dim, context.colour()) + "\n");
  int width = std::clamp((context.width() > 0 ? context.width() : 100) - 60, 10, 60);
  Table table({"START", "TOOK", "STATE", "STEP", ""});
  for (const auto& step : document.steps) {
    auto started = proto::parse_time(step.started_at);
    if (!started) {
      table.add({"-", "-", step.state, step.key, ""}, tone_of(step.state), 2);
      continue;
    }
    std::int64_t from = *started - begin, to = proto::parse_time(step.ended_at).value_or(end) - begin;
    table.add({"+" + duration_text(from), duration_text(to - from), step.state, step.key,
               bar(from, to, end - begin, width)},
              tone_of(step.state), 2);
  }
  context.out(table);
  return proto::k_done;
}

}  // namespace stackd::client
