// SseParser: Server-Sent Events from bytes as they arrive, cut anywhere (WHATWG HTML, "Interpreting an event
// stream").
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace stackd::client {

struct SseEvent {
  std::string id;     // the last id seen on the stream, this event's own or an earlier one's
  std::string event;  // "" is "message"
  std::string data;   // its data lines, joined by newlines
};

class SseParser {
public:
  // `on_event` is called for every event that `bytes` completes; comments and events without data are left
  // out.
  void feed(std::string_view bytes, const std::function<void(const SseEvent&)>& on_event);

private:
  void take_line(const std::function<void(const SseEvent&)>& on_event);

  std::string line_;
  std::string last_id_;
  SseEvent event_;
  bool has_data_ = false;
  bool after_cr_ = false;  // a line ended with \r: a \n right behind it belongs to the same end
  bool first_line_ = true;
};

}  // namespace stackd::client
