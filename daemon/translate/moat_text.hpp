// What the text of Moat's hooks means to /bin/sh (M2.6, X20). A hook keeps its text as it was written,
// because that is what its image is tagged by (M3.2) and what people see; these say what is run. Pure.
#pragma once

#include <string>

namespace stackd::translate {

// Of a build hook: lines joined with && as Moat does when every line is a command of its own; else one script
// that stops at the first failure.
std::string build_script(const std::string& text);
// Of pre_run: several lines are a script that stops at the first failure, unlike Moat's (M4.3); one that
// begins with `set +e` does not.
std::string run_script(const std::string& text);

}  // namespace stackd::translate
