#include "client/commands/log_printer.hpp"

#include <unistd.h>

#include <algorithm>

#include "client/commands/shared.hpp"
#include "client/error.hpp"
#include "client/output/style.hpp"
#include "client/text.hpp"

namespace stackd::client {
namespace {

constexpr const char* k_colours[] = {"36", "33", "32", "35", "34", "96", "93", "92", "95", "94"};

}  // namespace

LogPrinter::LogPrinter(const Context& context, const proto::Stack& stack, const LogLook& look)
    : context_(context), look_(look) {
  look_.colour = look.colour && context.colour();
  look_.raw = look.raw || ::isatty(1) != 1;
  for (const auto& service : stack.services) {
    std::size_t replicas = service.containers.size();
    if (replicas > 1) scaled_[service.name] = true;
    widest_ = std::max(widest_, display_width(service.name) + (replicas > 1 ? 2 : 0));
  }
}

void LogPrinter::print(const proto::LogLine& line) {
  if (line.stream == "mark") return context_.out(paint(line.text, Tone::dim, look_.colour) + "\n");
  std::string name = line.service;
  if (scaled_[line.service]) name += "-" + std::to_string(line.number);
  auto [colour, added] = colours_.try_emplace(name, k_colours[colours_.size() % std::size(k_colours)]);
  std::string prefix = pad(name, widest_) + " | ";
  if (!look_.prefix) prefix.clear();
  if (look_.colour && look_.prefix) prefix = std::string("\x1b[") + colour->second + "m" + prefix + "\x1b[0m";
  std::string text = line.text;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (!look_.raw) text = harmless(text);
  context_.out(prefix + (look_.timestamps && !line.at.empty() ? line.at + " " : "") + text + "\n");
}

FollowedLog::FollowedLog(Context& context, const proto::Stack& stack, proto::LogsRequest request,
                         const LogLook& look)
    : context_(context), stack_(stack.id), request_(std::move(request)), printer_(context, stack, look) {
  request_.follow = true;
  request_.timestamps = look.timestamps;
}

void FollowedLog::take(const std::string& text) {
  if (text.empty()) return;
  const auto line = nlohmann::json::parse(text).get<proto::LogLine>();
  if (!line.cursor.empty()) seen_[line.service + "/" + std::to_string(line.number)] = line.cursor;
  if (context_.json())
    context_.document(text);
  else
    printer_.print(line);
}

bool FollowedLog::read() {
  if (ended_) return false;
  bool some = false;
  try {
    if (!stream_) {
      request_.after.clear();
      for (const auto& [source, cursor] : seen_) request_.after.push_back(source + "/" + cursor);
      stream_.emplace(context_.api().stream(target::logs(stack_, request_), "application/x-ndjson"));
      buffer_.clear();
      lost_ = false;
    }
    for (;;) {
      const Read got = stream_->connection.read(buffer_, std::chrono::steady_clock::now());
      if (got == Read::end) ended_ = true;
      if (got != Read::data) break;
      some = true;
      std::size_t start = 0;
      for (std::size_t end; (end = buffer_.find('\n', start)) != std::string::npos; start = end + 1)
        take(buffer_.substr(start, end - start));
      buffer_.erase(0, start);
    }
  } catch (const TransportError&) {
    stream_.reset();
    tell_lost(context_, !lost_);
    lost_ = true;
  } catch (const ApiError& error) {
    if (error.problem().status != 503) throw;
    stream_.reset();
  }
  if (ended_) stream_.reset();
  return some;
}

}  // namespace stackd::client
