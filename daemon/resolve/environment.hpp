// Which variables a command gets: L6.1 with X16 and X17; and what of them is to be masked. Pure: what they
// take from the disk is in Facts::seen.
//
// Values that the caller brought, or that env_from printed, are taken as they are (X16); all others are
// resolved. A value of the stack's or the profile's level whose answer is not known yet (a value before it is
// captured, a service that the profile leaves out) is left out of what it is for; in a service's or a hook's
// own level that is an error.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/model/facts.hpp"
#include "daemon/model/spec.hpp"

namespace stackd::resolve {

using namespace model;

using Variables = std::map<std::string, std::string>;  // resolved: no null, no reference

// The built-in group `stack`: caller, LICH_* and STACKD_*, top-level layer, profile layer, published port
// variables of every service.
Variables stack_environment(const Spec& spec, const Facts& facts);
// A process's: caller, LICH_* and STACKD_*, top-level and profile layer, port variables of containers, its
// own layer, its own port variables (but not those of other processes: two may use PORT).
Variables process_environment(const Spec& spec, const Facts& facts, const Service& service);
// A container's: only what the files say (never the caller's whole environment): for a compose service its
// env_file and environment; with stackd/lich layers under them when the file has any.
Variables container_environment(const Spec& spec, const Facts& facts, const Service& service);
// Of a container that is no service's: what the files give to all.
Variables file_environment(const Spec& spec, const Facts& facts);
// container_environment for telling whether a container is still what the files say: what is not known yet
// stands as it is written.
Variables container_definition(const Spec& spec, const Facts& facts, const Service& service);
// A named group (L6.7); "stack" is built in. Throws not_found with the nearest name.
Variables group_environment(const Spec& spec, const Facts& facts, const std::string& group);
// A command's of `commands` (L6.8): its group, then its own env. Throws not_found with the nearest name.
Variables command_environment(const Spec& spec, const Facts& facts, const std::string& command);
// A host hook's: its group, else its service's (X17), else the stack's; then its own env. STACKD_* hook
// variables are the hook runner's to add.
Variables hook_environment(const Spec& spec, const Facts& facts, const Hook& hook);

// A command's of env_from: what its own layer has so far. It runs before anything else does, so what is not
// known yet is left out.
Variables env_from_environment(const Spec& spec, const Facts& facts, const std::string& layer);

// Values that must not be shown (env_from and secrets), longest first, none shorter than 4 characters.
std::vector<std::string> secret_values(const Spec& spec, const Facts& facts);
// Every occurrence of a secret replaced by "***".
std::string mask(std::string text, const std::vector<std::string>& secrets);

// ---- what Facts::seen has to tell of; world/seen.hpp looks

// Where the commands of this machine start, absolute. That of a hook whose cwd is not known yet is left out.
std::set<std::string> directories(const Spec& spec, const Facts& facts);
// L3.1: from a directory up to the stack's, both canonical, innermost first: each may be a node package.
std::vector<std::string> package_levels(const std::string& directory, const std::string& stack_directory);
// Without symbolic links, as far as was seen: one that was not there stays as it is written.
std::string canonical(const Seen& seen, const std::string& directory);

// What env_from commands the up must run: layer name ("stack", "profile", "service:<name>", "group:<name>")
// -> sources that have a cmd. Each one's cwd is absolute.
std::vector<std::pair<std::string, EnvSource>> env_commands(const Spec& spec);

}  // namespace stackd::resolve
