#include "client/output/style.hpp"

namespace stackd::client {

std::string paint(std::string_view text, Tone tone, bool colour) {
  if (!colour || tone == Tone::plain || text.empty()) return std::string(text);
  const char* code = tone == Tone::good   ? "32"
                     : tone == Tone::bad  ? "31"
                     : tone == Tone::warn ? "33"
                     : tone == Tone::dim  ? "2"
                                          : "1";
  return std::string("\x1b[") + code + "m" + std::string(text) + "\x1b[0m";
}

Tone tone_of(std::string_view status) {
  if (status == "up" || status == "ready" || status == "completed" || status == "succeeded" ||
      status == "done")
    return Tone::good;
  if (status == "failed" || status == "unhealthy" || status == "exited") return Tone::bad;
  if (status == "starting" || status == "restarting" || status == "stopping" || status == "degraded" ||
      status == "running" || status == "paused" || status == "cancelled")
    return Tone::warn;
  if (status == "down" || status == "stopped" || status == "skipped" || status == "pending") return Tone::dim;
  return Tone::plain;
}

}  // namespace stackd::client
