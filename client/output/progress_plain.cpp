// Plain lines for pipes and logs: one whenever a service's status changes or something ends. And the events
// themselves.
#include "client/output/progress.hpp"
#include "client/output/progress_model.hpp"
#include "client/text.hpp"

namespace stackd::client {
namespace {

class PlainProgress : public Progress {
public:
  PlainProgress(Write write, bool colour) : write_(std::move(write)), colour_(colour) {}

  void event(const proto::Event& event, const std::string&) override {
    ProgressModel::Change change = model_.apply(event, now_ms());
    show_build(event);
    for (const auto& line : change.lines) write_(paint(line.text, line.tone, colour_) + "\n");
    if (const auto* service = model_.find(change.service)) show(*service);
  }
  void note(const std::string& text) override { write_(text + "\n"); }

private:
  // What the builder says, whole; what a pull says of each layer is too much for a pipe.
  void show_build(const proto::Event& event) {
    if (event.kind != "progress" || !event.data.is_object()) return;
    const std::string text = event.data.value("text", "");
    if (text.size() > 1 && text[0] == '#' && text[1] >= '1' && text[1] <= '9')
      write_(event.data.value("service", "") + " | " + text + "\n");
  }
  void show(const ProgressModel::Service& service) {
    std::string state = ProgressModel::state_of(service);
    std::string line = service.name + ": " + state;
    if (service.settled && service.activity.empty() && *service.settled > service.started)
      line += " (" + duration_text(*service.settled - service.started) + ")";
    if (!service.reason.empty()) line += ": " + service.reason;
    if (auto& last = shown_[service.name]; last != state) {
      last = state;
      write_(line + "\n");
    }
  }

  Write write_;
  bool colour_;
  ProgressModel model_;
  std::map<std::string, std::string> shown_;  // the state last written for a service
};

class JsonProgress : public Progress {
public:
  JsonProgress(Write write, Write say) : write_(std::move(write)), say_(std::move(say)) {}

  void event(const proto::Event&, const std::string& text) override { write_(text + "\n"); }
  void note(const std::string& text) override { say_(text + "\n"); }

private:
  Write write_, say_;
};

}  // namespace

std::unique_ptr<Progress> make_plain_progress(Write write, bool colour) {
  return std::make_unique<PlainProgress>(std::move(write), colour);
}

std::unique_ptr<Progress> make_json_progress(Write write, Write say) {
  return std::make_unique<JsonProgress>(std::move(write), std::move(say));
}

}  // namespace stackd::client
