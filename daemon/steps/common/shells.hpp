// Moat's hooks are run by /bin/sh: has an image one?
#pragma once

#include <map>
#include <string>

#include "daemon/model/stack.hpp"
#include "daemon/steps/common/tools.hpp"
#include "daemon/util/error.hpp"

namespace stackd::steps {

// Throws when one of these services' images has no shell. Looks into a container that is made for it, never
// started and removed. `images`: service -> image id.
awaitable<void> check_shells(Tools& tools, std::string operation, model::Stack stack,
                             std::map<std::string, std::string> images);
util::Error no_shell(const model::Spec& spec, const model::Service& service);

}  // namespace stackd::steps
