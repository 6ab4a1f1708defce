// Finding what a request names.
#pragma once

#include <string>

#include "daemon/stackfile/load.hpp"
#include "daemon/stacks/parts.hpp"
#include "daemon/util/error.hpp"
#include "proto/types.hpp"

namespace stackd::stacks {

// What the files of a request are read by. Takes the caller's environment out of it: there is one copy.
stackfile::LoadRequest load_request(proto::UpRequest& request);
// The files of a request, read on the file thread.
struct Loaded {
  model::Spec spec;
  std::map<std::string, std::string> environment;  // the caller's
  std::optional<int> umask;                        // likewise
  model::Seen seen;                                // for the facts
  bool ignore_orphans = false,
       remove_orphans = false;  // C10.4: what Compose's variables say, as the flag would
};
awaitable<Loaded> load(Parts& parts, stackfile::LoadRequest request);
// What they are, whatever is in them.
awaitable<stackfile::Sources> find_sources(Parts& parts, stackfile::LoadRequest request);
// By id, or by name when only one stack has it. Throws not_found with the nearest, invalid_request when a
// name is shared.
awaitable<store::StackRow> find_stack(Parts& parts, std::string id_or_name);
// Throws invalid_request for a word of a request that is no phase.
void check_phase(const std::string& field, const std::string& phase);
// not_found, with the nearest of the entries that there are.
util::Error no_such_hook(const model::Spec& spec, const std::string& name);
// Throws not_found with the nearest name.
void check_service(const model::Stack& stack, const std::string& name);

}  // namespace stackd::stacks
