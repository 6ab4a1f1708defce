// What either builder prints while it makes layers of hooks, told apart by the hook that it is of. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stackd::hooks {

class BuildLines {
public:
  enum class Kind {
    begins,  // the hook runs
    cached,  // its layer was there
    ends,    // it is done
    out,
    err,
    chatter  // what the builder says itself
  };
  struct Event {
    Kind kind = Kind::chatter;
    int layer = -1;  // which hook, from 0; -1 for none
    std::string text = {};
  };
  virtual ~BuildLines() = default;
  virtual std::vector<Event> take(std::string_view line) = 0;
  // The hook that is at work, or was when the builder stopped; -1 for none.
  virtual int current() const = 0;
};

// `steps`: which of the builder's instructions each hook is (translate::DerivedBuild).
std::unique_ptr<BuildLines> classic_lines(std::vector<int> steps);
std::unique_ptr<BuildLines> buildkit_lines(std::vector<int> steps);

}  // namespace stackd::hooks
