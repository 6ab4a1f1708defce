// Secrets and configs that are not files on this machine (from a variable or written in the stack file): put
// into the container as files.
#pragma once

#include <string>

#include "daemon/spec/facts.hpp"
#include "daemon/spec/spec.hpp"

namespace stackd::stacks {

// A tar to unpack at "/"; empty when there are none. Throws Error(failed) for a variable that the caller does
// not have.
std::string secret_files(const spec::Spec& spec, const spec::Facts& facts, const spec::Service& service);

}  // namespace stackd::stacks
