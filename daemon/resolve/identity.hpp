// Names that other tools see: stack id, container, network, volume and image names (design.md "Identity",
// C9). Pure.
#pragma once

#include <string>

#include "daemon/model/facts.hpp"
#include "daemon/model/spec.hpp"

namespace stackd::resolve {

using namespace model;

// "<name>-<first 8 hex digits of SHA-256 of the absolute directory>"; an id is its own.
std::string stack_id(const std::string& name, const std::string& directory);
// L7.3, ${worktree.id}: 12 hex digits of SHA-256 of the absolute directory.
std::string worktree_id(const std::string& directory);
// C9.1: lower-cased, other characters removed, leading '_' and '-' trimmed.
std::string project_name_from(const std::string& directory_name);
std::string container_name(const Spec& spec, const Service& service, int number);  // C9.2
std::string built_image_name(const Spec& spec, const Service& service);            // "<project>-<service>"
// Of all that a file asks for, from whatever directory it was found: the same for two equal ups (X25).
std::string wish_hash(const Spec& spec);
// C8.1: SHA-256 over the service as the engine will see it: references and environment resolved, build,
// scale, depends_on and profiles left out.
nlohmann::json config_of(const Spec& spec, const Facts& facts, const Service& service);  // what is hashed
std::string config_hash(const Spec& spec, const Facts& facts, const Service& service);

}  // namespace stackd::resolve
