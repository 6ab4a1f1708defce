#include "daemon/images/builder/plain_log.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace stackd::builder {
namespace {

constexpr std::size_t k_last_lines = 20;
constexpr int k_stdout = 1, k_stderr = 2;
constexpr double k_part_pause = 1, k_shortest_rate = 0.1;  // seconds

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
  std::string line = "#" + std::to_string(step.number) + " " + words;
  std::replace(line.begin(), line.end(), '\n', ' ');  // a here-document's name has several lines
  line_(line);
}

PlainLog::Step& PlainLog::begin(const std::string& digest, double at, bool cached) {
  auto& step = by_digest_[digest];
  if (step.number == 0) {
    step.number = ++steps_;
    step.began = at;
    say(step, (cached && streams_ ? "CACHED " : "") + step.name);
  }
  return step;
}

void PlainLog::put(Step& step, double at, int stream, std::string words) {
  // A line that is written over and over shows how it looked last.
  while (!words.empty() && words.back() == '\r') words.pop_back();
  if (const auto back = words.rfind('\r'); back != words.npos) words.erase(0, back + 1);
  const char* mark = !streams_ ? "" : stream == k_stderr ? "2> " : "1> ";
  say(step, text("%.3f ", std::max(0.0, at - step.began)) + mark + words);
  step.last.push_back(std::move(words));
  if (step.last.size() > k_last_lines) step.last.pop_front();
}

void PlainLog::take(Step& step, double at, int stream, std::string_view bytes) {
  auto& partial = step.partial[stream == k_stderr];
  for (;;) {
    const auto end = bytes.find('\n');
    partial.append(bytes.substr(0, end));
    if (end == bytes.npos) return;
    put(step, at, stream, std::exchange(partial, ""));
    bytes.remove_prefix(end + 1);
  }
}

void PlainLog::flush(Step& step, double at) {
  for (const int stream : {k_stdout, k_stderr})
    if (auto& partial = step.partial[stream == k_stderr]; !partial.empty())
      put(step, at, stream, std::exchange(partial, ""));
}

// Of what is on its way once a second, with its rate; its end in any case.
void PlainLog::tell_part(const wire::VertexStatus& part) {
  const bool ends = part.has_completed();
  if (!ends && !part.has_timestamp()) return;
  auto& step = begin(part.vertex(), seconds(part.started()));
  auto& told = step.parts[part.id()];
  const double began = seconds(part.started());
  const double at = seconds(ends ? part.completed() : part.timestamp());
  if (told.ended || (!ends && at - std::max(told.told, began) < k_part_pause)) return;
  told = {at, ends};
  std::string words = part.id();
  if (part.total() > 0)
    words += " " + readable_size(part.current()) + " / " + readable_size(part.total());
  else if (part.current() > 0)
    words += " " + readable_size(part.current());
  words += text(" %.1fs", at - began);
  if (part.current() > 0 && at - began >= k_shortest_rate)
    words += " " +
             readable_size(static_cast<std::int64_t>(static_cast<double>(part.current()) / (at - began))) +
             "/s";
  say(step, words + (ends ? " done" : ""));
}

void PlainLog::tell_end(const wire::Vertex& vertex) {
  auto& step = by_digest_[vertex.digest()];
  if (!vertex.has_completed() || step.ended) return;
  step.ended = true;
  flush(step, seconds(vertex.completed()));
  if (!vertex.error().empty()) {
    step.error = vertex.error();
    const bool only_ended = vertex.error().find("context canceled") != std::string::npos;
    say(step, only_ended ? "CANCELED" : "ERROR: " + vertex.error());
    if (!only_ended) failed_ = vertex.digest();
  } else if (vertex.cached()) {
    if (!streams_) say(step, "CACHED");
  } else {
    say(step, text("DONE %.1fs", seconds(vertex.completed()) - seconds(vertex.started())));
  }
}

void PlainLog::add(const wire::StatusResponse& status) {
  for (const auto& vertex : status.vertexes()) {
    by_digest_[vertex.digest()].name = vertex.name();
    if (vertex.has_started() || vertex.cached())
      begin(vertex.digest(), seconds(vertex.started()), vertex.cached());
  }
  for (const auto& part : status.statuses()) tell_part(part);
  for (const auto& log : status.logs()) {
    const auto at = seconds(log.timestamp());
    take(begin(log.vertex(), at), at, static_cast<int>(log.stream()), log.text());
  }
  for (const auto& vertex : status.vertexes()) tell_end(vertex);
  for (const auto& warning : status.warnings())
    if (auto& step = by_digest_[warning.vertex()]; step.number != 0) say(step, "WARN: " + warning.short_());
}

void PlainLog::finish() {
  for (auto& [digest, step] : by_digest_) flush(step, step.began);
}

std::vector<std::string> PlainLog::failed() const {
  const auto found = by_digest_.find(failed_);
  if (found == by_digest_.end()) return {};
  std::vector<std::string> lines{found->second.name};
  lines.insert(lines.end(), found->second.last.begin(), found->second.last.end());
  return lines;
}

}  // namespace stackd::builder
