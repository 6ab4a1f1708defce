#include "daemon/hooks/build_lines.hpp"

#include <algorithm>
#include <map>

#include "daemon/docker/build_output.hpp"
#include "daemon/images/told_line.hpp"

namespace stackd::hooks {
namespace {

using Events = std::vector<BuildLines::Event>;

int layer_of(const std::vector<int>& steps, int step) {
  const auto found = std::find(steps.begin(), steps.end(), step);
  return found == steps.end() ? -1 : static_cast<int>(found - steps.begin());
}

// One step after another; that it ran at all shows by what comes before the next.
class Classic : public BuildLines {
public:
  explicit Classic(std::vector<int> steps) : steps_(std::move(steps)) {}

  Events take(std::string_view text) override {
    using Sorted = docker::BuildOutput::Kind;
    const auto line = output_.sort(text);
    const int layer = current();
    if (line.kind == Sorted::step) {
      Events events{{Kind::chatter, -1, line.text}};
      if (const int before = layer_of(steps_, output_.step() - 1); before >= 0 && !cached_)
        events.push_back({Kind::ends, before});
      begun_ = cached_ = false;
      return events;
    }
    if (layer < 0) return {};
    if (line.kind == Sorted::cached) {
      cached_ = true;
      return {{Kind::cached, layer}};
    }
    Events events;
    if (!begun_ && !cached_) events.push_back({Kind::begins, layer});
    begun_ = true;
    if (line.kind == Sorted::out) events.push_back({Kind::out, layer, line.text});
    if (line.kind == Sorted::err) events.push_back({Kind::err, layer, line.text});
    return events;
  }
  int current() const override { return layer_of(steps_, output_.step()); }

private:
  std::vector<int> steps_;
  docker::BuildOutput output_;
  bool begun_ = false, cached_ = false;
};

class BuildKit : public BuildLines {
public:
  explicit BuildKit(std::vector<int> steps) : steps_(std::move(steps)) {}

  Events take(std::string_view text) override {
    using Told = images::ToldLine::Kind;
    const auto line = images::told_line(text);
    const bool named = line.kind == Told::begins || (line.kind == Told::cached && !line.text.empty());
    if (named) layers_[line.step] = layer_of(steps_, images::instruction_in(line.text));
    const auto found = layers_.find(line.step);
    const int layer = found == layers_.end() ? -1 : found->second;
    switch (line.kind) {
      case Told::begins:
        if (layer >= 0) current_ = layer;
        return with_chatter(layer >= 0 ? Events{{Kind::begins, layer}} : Events{}, text);
      case Told::cached:
        return with_chatter(layer >= 0 ? Events{{Kind::cached, layer}} : Events{}, text);
      case Told::ends:
        if (layer < 0) return {};
        current_ = -1;
        return {{Kind::ends, layer}};
      case Told::out:
        return layer < 0 ? Events{} : Events{{Kind::out, layer, line.text}};
      case Told::err:
        return layer < 0 ? Events{} : Events{{Kind::err, layer, line.text}};
      default:
        return {};
    }
  }
  int current() const override { return current_; }

private:
  static Events with_chatter(Events events, std::string_view line) {
    events.push_back({Kind::chatter, -1, std::string(line)});
    return events;
  }
  std::vector<int> steps_;
  std::map<int, int> layers_;  // the builder's number of a step -> hook
  int current_ = -1;
};

}  // namespace

std::unique_ptr<BuildLines> classic_lines(std::vector<int> steps) {
  return std::make_unique<Classic>(std::move(steps));
}

std::unique_ptr<BuildLines> buildkit_lines(std::vector<int> steps) {
  return std::make_unique<BuildKit>(std::move(steps));
}

}  // namespace stackd::hooks
