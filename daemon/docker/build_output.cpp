#include "daemon/docker/build_output.hpp"

#include <algorithm>
#include <charconv>

namespace stackd::docker {
namespace {

constexpr std::string_view k_red = "\x1b[91m", k_plain = "\x1b[0m",
                           k_removing = "Removing intermediate container ";

// N of "Step N/M :", 0 for anything else.
int step_in(std::string_view line) {
  if (!line.starts_with("Step ") && !line.starts_with("STEP ")) return 0;
  line.remove_prefix(5);
  int number = 0, all = 0;
  const auto end = line.data() + line.size();
  auto read = std::from_chars(line.data(), end, number);
  if (read.ec != std::errc{} || read.ptr == end || *read.ptr != '/') return 0;
  read = std::from_chars(read.ptr + 1, end, all);
  if (read.ec != std::errc{} || number > all) return 0;
  const std::string_view rest(read.ptr, static_cast<std::size_t>(end - read.ptr));
  return rest.starts_with(" : ") || rest.starts_with(": ") ? number : 0;
}

std::string without(std::string text, std::string_view part) {
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at))
    text.erase(at, part.size());
  return text;
}

}  // namespace

BuildOutput::Line BuildOutput::sort(std::string_view line) {
  // A piece of stderr begins with red and ends, after its newline, with plain.
  if (line.starts_with(k_plain)) {
    red_ = false;
    line.remove_prefix(k_plain.size());
    if (line.empty()) return {};
  }
  // A hook may print such a line too; only the next number is the builder's.
  if (const int number = step_in(line); number == step_ + 1) {
    step_ = number;
    red_ = false;
    return {Kind::step, std::string(line)};
  }
  if (line == " ---> Using cache" || line.starts_with("--> Using cache "))
    return {Kind::cached, std::string(line)};
  for (const std::string_view chatter :
       {" ---> ", "--> ", "Successfully built ", "Successfully tagged ", "COMMIT "})
    if (line.starts_with(chatter)) return {Kind::chatter, std::string(line)};
  // It follows what a hook printed, and not on a line of its own when that had no newline.
  if (const auto at = line.rfind(k_removing); at != line.npos && line.size() == at + k_removing.size() + 12) {
    line = line.substr(0, at);
    if (line.empty()) return {};
  }
  const auto red = line.rfind(k_red), plain = line.rfind(k_plain);
  const bool err = red_ || red != line.npos;
  if (red != line.npos || plain != line.npos) red_ = red != line.npos && (plain == line.npos || plain < red);
  return {err ? Kind::err : Kind::out, without(without(std::string(line), k_red), k_plain)};
}

}  // namespace stackd::docker
