// The live view: a head line, then a row for each service and each of the stack's own hooks, in fixed
// columns; what failed or is at work first. It is redrawn row by row in one synchronised update, and takes
// itself away at the end: only what failed, warnings, and what hooks wrote to stderr stay.
//
// No erasing downwards: from the top of the screen that is a new screen, and terminals keep the old one in
// their scrollback.
#include <algorithm>

#include "client/output/progress.hpp"
#include "client/output/progress_model.hpp"
#include "client/text.hpp"

namespace stackd::client {
namespace {

constexpr std::string_view k_frames[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
constexpr std::chrono::milliseconds k_tick{100};
constexpr std::int64_t k_opens_after =
    5000;  // milliseconds that something runs, until its output is shown under it
constexpr int k_widest_name = 24, k_state_width = 10, k_time_width = 6, k_command_width = 30;

constexpr std::string_view k_begin_update = "\x1b[?2026h", k_end_update = "\x1b[?2026l";
constexpr std::string_view k_hide_cursor = "\x1b[?25l", k_show_cursor = "\x1b[?25h";
constexpr std::string_view k_empty_row = "\r\x1b[K";

std::string up(int rows) {
  return rows > 0 ? "\x1b[" + std::to_string(rows) + "A" : "";
}

// One row before it is laid out.
struct Row {
  Tone tone = Tone::plain;
  std::string mark, name, state, detail;
  std::int64_t took = 0;
  int rank = 0;                          // 0 failed, 1 at work, 2 waits for others, 3 at rest
  std::vector<std::string> output = {};  // to stand under it, where there is room
};

class TtyProgress : public Progress {
public:
  TtyProgress(Write write, bool colour, std::function<Size()> size, std::function<std::int64_t()> now,
              std::function<std::string()> keys)
      : write_(std::move(write)),
        size_(std::move(size)),
        now_(std::move(now)),
        keys_(std::move(keys)),
        colour_(colour) {}
  ~TtyProgress() override {
    if (begun_) write_(k_show_cursor);
  }

  void event(const proto::Event& event, const std::string&) override {
    ProgressModel::Change change = model_.apply(event, now_());
    // What went well is told by the end; of a hook what it wrote to stderr is for people to see.
    const bool went_well =
        change.lines.size() == 1 && (change.lines[0].tone == Tone::good || change.lines[0].tone == Tone::dim);
    if (!went_well) keep(change.lines);
    if (now_() - drawn_at_ >= k_tick.count()) draw();
  }
  void planned(const proto::Operation& operation) override { model_.expect(operation, now_()); }
  void note(const std::string& text) override {
    keep({{Tone::warn, text}});
    draw();
  }
  void tick() override { draw(); }
  std::optional<std::chrono::milliseconds> tick_every() const override { return k_tick; }
  void finish() override {
    if (!begun_) return;
    finished_ = true;
    draw();
    write_(k_show_cursor);
    begun_ = finished_ = false;
  }

private:
  void keep(const std::vector<Line>& lines) { lasting_.insert(lasting_.end(), lines.begin(), lines.end()); }

  // The rows that the cursor stands below, in the window as it is now: a narrower one has wrapped them.
  int rows_above(const Size& size) const {
    const int columns = std::max(1, size.columns);
    int rows = 0;
    for (const int width : live_) rows += std::max(1, (width + columns - 1) / columns);
    return std::min(rows, std::max(0, size.rows - 1));
  }

  void take_keys() {
    for (const char key : keys_()) {
      if (key == 'v') open_ = Open::all;
      if (key == 'q') open_ = Open::none;
    }
  }

  // Whether the output of what began then stands under it.
  bool is_open(std::int64_t began) const {
    return open_ == Open::all || (open_ == Open::what_takes_long && now_() - began > k_opens_after);
  }

  void draw() {
    take_keys();
    const Size size = size_();
    const int before = rows_above(size);
    std::string out(k_begin_update);
    if (!begun_) out += k_hide_cursor;
    begun_ = true;
    out += up(before);
    if (!lasting_.empty()) {
      // They may be longer than the window is wide: what was there must be gone before.
      for (int row = 0; row < before; ++row) out += std::string(k_empty_row) + "\n";
      out += up(before);
      for (const auto& line : lasting_)
        out += std::string(k_empty_row) + paint(line.text, line.tone, colour_) + "\n";
      lasting_.clear();
    }
    live_.clear();
    for (const auto& line : finished_ ? std::vector<Line>{} : live_lines(size)) {
      const std::string text = fit(line.text, size.columns);
      live_.push_back(display_width(text));
      out += std::string(k_empty_row) + paint(text, line.tone, colour_) + "\n";
    }
    const int left = before - static_cast<int>(live_.size());
    for (int row = 0; row < left; ++row) out += std::string(k_empty_row) + "\n";
    out += up(left);
    drawn_at_ = now_();
    write_(out + std::string(k_end_update));
  }

  std::vector<Line> live_lines(const Size& size) const {
    const std::int64_t now = now_();
    std::vector<Row> rows = all_rows(now);
    std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.rank < b.rank; });
    int widest = 0;
    for (const auto& row : rows) widest = std::max(widest, display_width(row.name));
    widest = std::min({widest, k_widest_name, std::max(4, size.columns / 3)});
    std::vector<Line> lines;
    if (const auto head = head_line(now); !head.empty()) lines.push_back({Tone::bold, head});
    const std::size_t room = static_cast<std::size_t>(std::max(1, size.rows - 1));
    for (std::size_t shown = 0; shown < rows.size(); ++shown) {
      const std::size_t hidden = rows.size() - shown;
      if (lines.size() + 1 >= room && hidden > 1) {
        lines.push_back({Tone::dim, "… and " + std::to_string(hidden) + " more"});
        break;
      }
      lines.push_back({rows[shown].tone, row_text(rows[shown], widest)});
      // Rows come first: their output has what is left of the window.
      for (const auto& line : rows[shown].output)
        if (lines.size() + hidden <= room) lines.push_back({Tone::dim, "  │ " + line});
    }
    if (lines.size() > room) lines.resize(room);
    return lines;
  }

  std::string head_line(std::int64_t now) const {
    if (model_.kind().empty()) return "";
    std::size_t ready = 0;
    for (const auto& service : model_.services())
      if (service.status == "ready" || service.status == "completed") ++ready;
    std::string text = model_.stack() + "  " + model_.kind();
    if (model_.kind() != "down" && model_.kind() != "stop")
      text += "  " + std::to_string(ready) + "/" + std::to_string(model_.services().size()) + " ready";
    text += "  " + duration_text(now - model_.began());
    if (model_.kind() == "up") text += "   Ctrl-C takes away what this up started";
    return text;
  }

  static std::string row_text(const Row& row, int widest) {
    const std::string time = duration_text(row.took);
    return row.mark + " " + pad(fit(row.name, widest), widest) + "  " +
           pad(fit(row.state, k_state_width), k_state_width) + " " +
           std::string(static_cast<std::size_t>(std::max(0, k_time_width - display_width(time))), ' ') +
           time + (row.detail.empty() ? "" : "  " + row.detail);
  }

  std::vector<Row> all_rows(std::int64_t now) const {
    const std::string frame(k_frames[static_cast<std::size_t>(now / k_tick.count()) % std::size(k_frames)]);
    std::vector<Row> rows;
    for (const auto& hook : model_.hooks())
      if (hook.service.empty() || !model_.find(hook.service))
        rows.push_back({.mark = frame,
                        .name = hook.label,
                        .state = "running",
                        .detail = detail_of(hook),
                        .took = now - hook.started,
                        .rank = 1,
                        .output = is_open(hook.started) ? hook.lines : std::vector<std::string>{}});
    for (const auto& service : model_.services()) rows.push_back(service_row(service, frame, now));
    return rows;
  }

  static std::string detail_of(const ProgressModel::Hook& hook) {
    const std::string command = fit(hook.command, k_command_width);
    return hook.lines.empty() ? command : command + "  " + hook.lines.back();
  }

  static std::string needs_text(const std::vector<std::string>& needs) {
    return needs.empty() ? "" : "needs " + join(needs, ", ");
  }

  Row service_row(const ProgressModel::Service& service, const std::string& frame, std::int64_t now) const {
    const ProgressModel::Hook* hook = nullptr;
    for (const auto& running : model_.hooks())
      if (running.service == service.name) hook = &running;
    const bool busy = hook || !service.settled || !service.activity.empty();
    const bool waits = !hook && service.status.empty() && service.activity.empty();
    Row row;
    row.name = service.name;
    row.state = waits ? "pending" : ProgressModel::state_of(service);
    row.tone = waits ? Tone::dim : busy ? Tone::plain : tone_of(row.state);
    row.mark = waits ? "·" : busy ? frame : row.tone == Tone::bad ? "✗" : row.tone == Tone::dim ? "-" : "✓";
    row.rank = waits ? 2 : busy ? 1 : row.tone == Tone::bad ? 0 : 3;
    row.took = (busy ? now : *service.settled) - service.started;
    if (hook)
      row.detail = hook->label + " " + duration_text(now - hook->started) + "  " + detail_of(*hook);
    else if (waits)
      row.detail = needs_text(model_.needs_of(service.name));
    else
      row.detail = service.detail.empty() ? service.reason : service.detail;
    if (busy && is_open(hook ? hook->started : service.active))
      row.output = hook ? hook->lines : service.lines;
    return row;
  }

  Write write_;
  std::function<Size()> size_;
  std::function<std::int64_t()> now_;
  std::function<std::string()> keys_;
  enum class Open { what_takes_long, all, none } open_ = Open::what_takes_long;
  bool colour_, begun_ = false, finished_ = false;
  ProgressModel model_;
  std::vector<Line> lasting_;  // to be written above the live rows with the next draw
  std::vector<int> live_;      // widths of the rows that the cursor stands below
  std::int64_t drawn_at_ = 0;
};

}  // namespace

std::unique_ptr<Progress> make_tty_progress(Write write, bool colour, std::function<Size()> size,
                                            std::function<std::int64_t()> now,
                                            std::function<std::string()> keys) {
  return std::make_unique<TtyProgress>(std::move(write), colour, std::move(size), std::move(now),
                                       std::move(keys));
}

}  // namespace stackd::client
