// Secrets and configs that are not files on this machine (from a variable or written in the stack file): put
// into the container as files.
#pragma once

#include <string>

#include "daemon/model/facts.hpp"
#include "daemon/model/spec.hpp"

namespace stackd::steps {

// A tar to unpack at "/"; empty when there are none. Throws Error(failed) for a variable that the caller does
// not have.
std::string secret_files(const model::Spec& spec, const model::Facts& facts, const model::Service& service);

}  // namespace stackd::steps
