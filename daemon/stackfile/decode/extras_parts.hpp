// The pieces of decode_stackd_top and decode_lich. Private to extras.cpp, owned.cpp, discover.cpp, lich.cpp
// and profiles.cpp.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/stackfile/decode/decode.hpp"

namespace stackd::stackfile {

// owned.cpp: the `owned` mapping, after every container service. Appends to spec.services.
void decode_owned(const Value& owned, DecodeContext& context, Spec& spec);
// Lich's `ports` of a service, by name or as a list. Of a container a bare number is the container's port and
// the host's is allocated (L10.1); of a host process it is the host's.
void decode_lich_ports(const Value& ports, const std::string& what, bool container, Problems& problems,
                       std::vector<Port>& out);
// depends_on as a list of names: each has to be ready (L1.4).
void decode_ready_list(Reader& reader, Service& service);
// Names of discovered parents in depends_on become those of what was discovered.
void expand_discovered(DecodeContext& context, Spec& spec);

// discover.cpp: L10.8. An `owned` entry with `discover` as entries that have `cmd` instead, sorted by name.
std::vector<Entry> expand_discover(const Entry& parent, DecodeContext& context);

// A directory as written, absolute by the stack's; ${worktree.path} and its like are resolved.
std::string absolute_directory(Reader& reader, std::string_view key, const DecodeContext& context);

}  // namespace stackd::stackfile
