// PlainLog: what the builder says of its steps, as lines for people and for a log: "#5 [2/3] RUN make",
// "#5 0.312 cc -c main.c", "#5 DONE 1.4s". Each step has a number, in the order in which they began.
// images/told_line.hpp reads them again. Pure.
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
  // `streams`: for a program. "1> " or "2> " is before what a step printed, and a step that was there
  // already is told in one line with its name.
  explicit PlainLog(Line line, bool streams = false) : line_(std::move(line)), streams_(streams) {}

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
    std::string partial[2];  // stdout, stderr: what has no newline yet
    std::deque<std::string> last;
    struct Part {
      double told = 0;
      bool ended = false;
    };
    std::map<std::string, Part> parts;  // of what is moved
  };
  Step& begin(const std::string& digest, double at, bool cached = false);
  void say(const Step& step, const std::string& text);
  void take(Step& step, double at, int stream, std::string_view text);
  void put(Step& step, double at, int stream, std::string text);
  void tell_part(const wire::VertexStatus& part);
  void tell_end(const wire::Vertex& vertex);
  void flush(Step& step, double at);

  Line line_;
  bool streams_;
  int steps_ = 0;
  std::map<std::string, Step> by_digest_;
  std::string failed_;
};

// "1.5kB", "37.2MB": what a person reads.
std::string readable_size(std::int64_t bytes);

}  // namespace stackd::builder
