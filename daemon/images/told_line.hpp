// What stackd-build prints, told apart again: "#5 [2/3] RUN make", "#5 0.312 cc -c main.c", "#5 DONE 1.4s".
// Pure.
#pragma once

#include <string>
#include <string_view>

namespace stackd::images {

struct ToldLine {
  enum class Kind {
    begins,     // text: what the step is called
    cached,     // text: the same, when it never began
    out,        // text: what it printed
    err,        // the same, of a build whose streams are told apart (BuildRequest::streams)
    part,       // text: of what is moved, how much and how fast
    ends,       // it is done
    failed,     // text: why
    cancelled,  // because another one failed
    other
  };
  Kind kind = Kind::other;
  int step = 0;  // in the order in which they began, from 1
  std::string text;
};
ToldLine told_line(std::string_view line);

// K of a step's name "[stage K/N] RUN make": the instruction of its stage; 0 when it is none.
int instruction_in(std::string_view name);

}  // namespace stackd::images
