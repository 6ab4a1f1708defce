// PlainLog: what the builder says of its steps, as lines for people and for a log: "#5 [2/3] RUN make",
// "#5 0.312 cc -c main.c", "#5 DONE 1.4s". Each step has a number, in the order in which they began. Pure.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <wire.pb.h>

namespace stackd::builder {

class PlainLog {
public:
  using Line = std::function<void(const std::string&)>;
  explicit PlainLog(Line line) : line_(std::move(line)) {}

  void add(const wire::StatusResponse& status);
  // What had no newline yet.
  void finish();
  // The last lines of the step that failed, its name first; none when none did.
  std::vector<std::string> failed() const;

private:
  struct Step {
    int number = 0;  // 0: it has not begun
    std::string name, error;
    double began = 0;
    bool ended = false;
    std::string partial;
    std::deque<std::string> last;
    std::map<std::string, bool> parts;  // of a transfer -> told
  };
  Step& begin(const std::string& digest, double at);
  void say(const Step& step, const std::string& text);
  void take(Step& step, double at, std::string_view text);
  void put(Step& step, double at, std::string text);

  Line line_;
  int steps_ = 0;
  std::map<std::string, Step> by_digest_;
  std::string failed_;
};

// "1.5kB", "37.2MB": what a person reads.
std::string readable_size(std::int64_t bytes);

}  // namespace stackd::builder
