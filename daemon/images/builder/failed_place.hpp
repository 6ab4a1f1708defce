// Where in its Dockerfile a build has failed. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stackd::builder {

struct FailedPlace {
  int first = 0, last = 0;  // lines, from 1; 0: it is not known
  std::string text;         // of the file, when the builder tells it
};

// As newer builders say it, in the details of their status.
FailedPlace failed_place(const std::string& details);
// Older ones tell the step's name alone, "[stage 3/4] RUN make": it is the third instruction of that stage
// that makes a layer.
FailedPlace failed_place(const std::string& dockerfile, std::string_view step);

// "/d/Dockerfile:3", then the lines there, those that failed marked.
std::vector<std::string> shown_place(const FailedPlace& place, const std::string& text,
                                     const std::string& name);

}  // namespace stackd::builder
