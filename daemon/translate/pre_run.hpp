// Moat's pre_run (M4): what the container runs before the command that it becomes. The hooks are files in a
// directory of the stack's that the container gets beside its own (X23: they are not in the environment), and
// what they print and how they end comes back as files, apart from the command's. Pure.
//
//   <stack>/pre_run/<container>/       mounted at /.stackd, read-only
//     entry, hook-<i>, text-<i>        the script, an entry as it is run, and as it was written
//     inputs-<i>                       what an entry with run: changed looked at
//     start                            "<token> <reason>": of the last start that stackd asked for
//     run/                             mounted at /.stackd/run, written by the container
//       <token>.starts                 a line for each start since; the first is 0, more are the engine's own
//       <token>.<start>.pid            the entry's process
//       <token>.<start>.<i>.<attempt>.{out,err,exit}
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daemon/model/facts.hpp"
#include "daemon/model/spec.hpp"
#include "daemon/translate/images.hpp"

namespace stackd::translate {

bool has_pre_run(const model::Service& service);

// What hooks are told besides their own `env`: STACKD_* (design.md).
using HookNames = std::map<std::string, std::string>;
// file name -> text, for the entries that are to run.
std::map<std::string, std::string> pre_run_files(const model::Spec& spec, const model::Facts& facts,
                                                 const std::vector<const model::Hook*>& hooks,
                                                 const HookNames& names);
// Sets entrypoint, command and binds in the body of POST /containers/create. Throws Error(failed) when there
// is no command to become.
void add_pre_run(nlohmann::json& body, const model::Service& service, const ImageFacts& base,
                 const std::string& directory);
// What the container becomes when its hooks have ended well.
std::vector<std::string> command_of(const model::Service& service, const ImageFacts& base);

// "<token>.<start>.<i>.<attempt>"
std::string pre_run_name(const std::string& token, int start, int index, int attempt);

}  // namespace stackd::translate
