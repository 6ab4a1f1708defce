// Progress: what shows an operation while it runs. Three of them: live lines on a terminal, plain lines on a
// pipe, and the events themselves for --json.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proto/types.hpp"

namespace stackd::client {

using Write = std::function<void(std::string_view)>;

class Progress {
public:
  virtual ~Progress() = default;
  // `text` is the event's JSON as it came.
  virtual void event(const proto::Event& event, const std::string& text) = 0;
  // What the operation is to do, once it is known: with its steps.
  virtual void planned(const proto::Operation&) {}
  // Something about the following itself: the daemon went away, Ctrl-C was heard.
  virtual void note(const std::string& text) = 0;
  // Called when nothing has come for tick_every().
  virtual void tick() {}
  virtual std::optional<std::chrono::milliseconds> tick_every() const { return std::nullopt; }
  // No more events: leaves only what stays.
  virtual void finish() {}
};

struct Size {
  int columns = 80, rows = 24;
};

// Live lines, redrawn in place. `size` is asked at every redraw, `now` is milliseconds since 1970; `keys` is
// what was typed meanwhile: v opens the output of all that runs, q closes it.
std::unique_ptr<Progress> make_tty_progress(Write write, bool colour, std::function<Size()> size,
                                            std::function<std::int64_t()> now,
                                            std::function<std::string()> keys);
std::unique_ptr<Progress> make_plain_progress(Write write, bool colour);
// Events go to `write`, notes to `say`.
std::unique_ptr<Progress> make_json_progress(Write write, Write say);

}  // namespace stackd::client
