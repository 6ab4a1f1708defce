// Live lines: one a service with its status, elapsed time and what it does right now, one for each of the
// stack's own hooks that run. Lines that stay are written above them.
#include <algorithm>

#include "client/output/progress.hpp"
#include "client/output/progress_model.hpp"
#include "client/text.hpp"

namespace stackd::client {
namespace {

constexpr std::string_view k_frames[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
constexpr std::chrono::milliseconds k_tick{100};

class TtyProgress : public Progress {
public:
  TtyProgress(Write write, bool colour, std::function<Size()> size, std::function<std::int64_t()> now)
      : write_(std::move(write)), size_(std::move(size)), now_(std::move(now)), colour_(colour) {}

  void event(const proto::Event& event, const std::string&) override {
    ProgressModel::Change change = model_.apply(event, now_());
    bool passing = event.kind == "hook.output" || event.kind == "progress";
    // A chatty hook must not cost a redraw a line; the next tick shows the newest.
    if (passing && now_() - drawn_at_ < k_tick.count()) return;
    draw(change.lines);
  }
  void note(const std::string& text) override { draw({{Tone::warn, text}}); }
  void tick() override { draw({}); }
  std::optional<std::chrono::milliseconds> tick_every() const override { return k_tick; }
  void finish() override {
    write_(erase_live());
    live_.clear();
  }

private:
  std::string erase_live() const {
    // A narrower window has wrapped what was drawn: count the rows that it takes now.
    int columns = std::max(1, size_().columns), rows = 0;
    for (int width : live_) rows += std::max(1, (width + columns - 1) / columns);
    return rows == 0 ? "" : "\x1b[" + std::to_string(rows) + "A\r\x1b[J";
  }

  void draw(const std::vector<Line>& lasting) {
    std::string out = erase_live();
    live_.clear();
    for (const auto& line : lasting) out += paint(line.text, line.tone, colour_) + "\n";
    Size size = size_();
    std::vector<Line> lines = live_lines();
    std::size_t room = static_cast<std::size_t>(std::max(1, size.rows - 1));
    if (lines.size() > room) {
      std::size_t hidden = lines.size() - (room - 1);
      lines.resize(room - 1);
      lines.push_back({Tone::dim, "… and " + std::to_string(hidden) + " more"});
    }
    for (const auto& line : lines) {
      std::string text = fit(line.text, size.columns);
      live_.push_back(display_width(text));
      out += paint(text, line.tone, colour_) + "\n";
    }
    drawn_at_ = now_();
    write_(out);
  }

  std::vector<Line> live_lines() const {
    std::int64_t now = now_();
    std::string frame(k_frames[static_cast<std::size_t>(now / k_tick.count()) % std::size(k_frames)]);
    int widest = 0;
    for (const auto& service : model_.services()) widest = std::max(widest, display_width(service.name));
    widest = std::min(widest, 30);
    std::vector<Line> lines;
    for (const auto& hook : model_.hooks())
      if (hook.service.empty() || !model_.find(hook.service))
        lines.push_back({Tone::plain, frame + " " + hook_text(hook, now)});
    for (const auto& service : model_.services()) lines.push_back(service_line(service, frame, widest, now));
    return lines;
  }

  static std::string hook_text(const ProgressModel::Hook& hook, std::int64_t now) {
    std::string text = hook.label + " " + hook.command + " " + duration_text(now - hook.started);
    return hook.last_line.empty() ? text : text + "  " + hook.last_line;
  }

  Line service_line(const ProgressModel::Service& service, const std::string& frame, int widest,
                    std::int64_t now) const {
    const ProgressModel::Hook* hook = nullptr;
    for (const auto& running : model_.hooks())
      if (running.service == service.name) hook = &running;
    bool busy = hook || !service.settled || !service.activity.empty();
    std::string state = ProgressModel::state_of(service);
    Tone tone = busy ? Tone::plain : tone_of(state);
    std::string mark = busy ? frame : tone == Tone::bad ? "✗" : tone == Tone::dim ? "-" : "✓";
    std::string text = mark + " " + pad(fit(service.name, widest), widest) + "  " + pad(state, 10) + " " +
                       pad(duration_text((busy ? now : *service.settled) - service.started), 7);
    if (hook) {
      text += " " + hook_text(*hook, now);
    } else if (!service.detail.empty()) {
      text += " " + service.detail;
    } else if (!service.reason.empty()) {
      text += " " + service.reason;
    }
    return {tone, text};
  }

  Write write_;
  std::function<Size()> size_;
  std::function<std::int64_t()> now_;
  bool colour_;
  ProgressModel model_;
  std::vector<int> live_;  // widths of the lines that the cursor stands below
  std::int64_t drawn_at_ = 0;
};

}  // namespace

std::unique_ptr<Progress> make_tty_progress(Write write, bool colour, std::function<Size()> size,
                                            std::function<std::int64_t()> now) {
  return std::make_unique<TtyProgress>(std::move(write), colour, std::move(size), std::move(now));
}

}  // namespace stackd::client
