// What the builder prints, told apart by its steps: the classic builder's ("Step 3/7 : RUN …", stderr in red)
// and Podman's ("STEP 3/7: RUN …"). Pure.
#pragma once

#include <string>
#include <string_view>

namespace stackd::docker {

class BuildOutput {
public:
  enum class Kind { step, cached, out, err, chatter };
  struct Line {
    Kind kind = Kind::chatter;
    std::string text;  // of out and err: without colours
  };
  // One line of the builder's; step() is what it belongs to.
  Line sort(std::string_view line);
  int step() const { return step_; }  // from 1; 0 before the first

private:
  int step_ = 0;
  bool red_ = false;  // a piece of stderr may have several lines
};

}  // namespace stackd::docker
