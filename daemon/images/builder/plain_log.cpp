#include "daemon/images/builder/plain_log.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace stackd::builder {
namespace {

constexpr std::size_t k_last_lines = 20;

double seconds(const wire::Time& time) {
  return static_cast<double>(time.seconds()) + static_cast<double>(time.nanos()) / 1e9;
}

template <class... Values>
std::string text(const char* format, Values... values) {
  std::array<char, 64> buffer;
  std::snprintf(buffer.data(), buffer.size(), format, values...);
  return buffer.data();
}

}  // namespace

std::string readable_size(std::int64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + "B";
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  constexpr std::array k_units{"B", "kB", "MB", "GB", "TB"};
  for (; value >= 1000 && unit + 1 < k_units.size(); ++unit) value /= 1000;
  return text("%.1f%s", value, k_units[unit]);
}

void PlainLog::say(const Step& step, const std::string& words) {
  line_("#" + std::to_string(step.number) + " " + words);
}

PlainLog::Step& PlainLog::begin(const std::string& digest, double at) {
  auto& step = by_digest_[digest];
  if (step.number == 0) {
    step.number = ++steps_;
    step.began = at;
    say(step, step.name);
  }
  return step;
}

void PlainLog::put(Step& step, double at, std::string words) {
  // A line that is written over and over shows how it looked last.
  while (!words.empty() && words.back() == '\r') words.pop_back();
  if (const auto back = words.rfind('\r'); back != words.npos) words.erase(0, back + 1);
  say(step, text("%.3f ", std::max(0.0, at - step.began)) + words);
  step.last.push_back(std::move(words));
  if (step.last.size() > k_last_lines) step.last.pop_front();
}

void PlainLog::take(Step& step, double at, std::string_view bytes) {
  for (;;) {
    const auto end = bytes.find('\n');
    step.partial.append(bytes.substr(0, end));
    if (end == bytes.npos) return;
    put(step, at, std::exchange(step.partial, ""));
    bytes.remove_prefix(end + 1);
  }
}

void PlainLog::add(const wire::StatusResponse& status) {
  for (const auto& vertex : status.vertexes()) {
    by_digest_[vertex.digest()].name = vertex.name();
    if (vertex.has_started() || vertex.cached()) begin(vertex.digest(), seconds(vertex.started()));
  }
  for (const auto& part : status.statuses()) {
    if (!part.has_completed()) continue;
    auto& step = begin(part.vertex(), seconds(part.started()));
    if (std::exchange(step.parts[part.id()], true)) continue;
    const auto size = part.total() > 0
                          ? " " + readable_size(part.current()) + " / " + readable_size(part.total())
                      : part.current() > 0 ? " " + readable_size(part.current())
                                           : std::string();
    say(step, part.id() + size + text(" %.1fs done", seconds(part.completed()) - seconds(part.started())));
  }
  for (const auto& log : status.logs()) {
    const auto at = seconds(log.timestamp());
    take(begin(log.vertex(), at), at, log.text());
  }
  for (const auto& vertex : status.vertexes()) {
    auto& step = by_digest_[vertex.digest()];
    if (!vertex.has_completed() || step.ended) continue;
    step.ended = true;
    if (!step.partial.empty()) put(step, seconds(vertex.completed()), std::exchange(step.partial, ""));
    if (!vertex.error().empty()) {
      step.error = vertex.error();
      const bool only_ended = vertex.error().find("context canceled") != std::string::npos;
      say(step, only_ended ? "CANCELED" : "ERROR: " + vertex.error());
      if (!only_ended) failed_ = vertex.digest();
    } else if (vertex.cached()) {
      say(step, "CACHED");
    } else {
      say(step, text("DONE %.1fs", seconds(vertex.completed()) - seconds(vertex.started())));
    }
  }
  for (const auto& warning : status.warnings())
    if (auto& step = by_digest_[warning.vertex()]; step.number != 0) say(step, "WARN: " + warning.short_());
}

void PlainLog::finish() {
  for (auto& [digest, step] : by_digest_)
    if (!step.partial.empty()) put(step, step.began, std::exchange(step.partial, ""));
}

std::vector<std::string> PlainLog::failed() const {
  const auto found = by_digest_.find(failed_);
  if (found == by_digest_.end()) return {};
  std::vector<std::string> lines{found->second.name};
  lines.insert(lines.end(), found->second.last.begin(), found->second.last.end());
  return lines;
}

}  // namespace stackd::builder
