// One run of a credential helper, a program of the user's: a word as its argument, a line for its input, and
// what it prints. Blocks, for no longer than the limit; then it and what it has started are ended.
#pragma once

#include <chrono>
#include <string>

#include "daemon/dotdocker/config_file.hpp"

namespace stackd::dotdocker {

struct HelperAnswer {
  int status = 0;  // 128+N for a signal
  std::string out, err;
};

// The program is looked for in the caller's PATH, and runs with the caller's environment. Throws failed: it
// is not there, cannot be started, or did not end in time.
HelperAnswer run_helper(const Environment& caller, const std::string& program, const std::string& word,
                        const std::string& input, std::chrono::milliseconds limit);

}  // namespace stackd::dotdocker
