// Images with build hooks on top: whose they are, and taking away those that nobody uses.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "daemon/steps/tools.hpp"

namespace stackd::steps {

// Tags that the stack's services would run now, as far as what is below them is there.
awaitable<std::set<std::string>> hook_image_tags(Tools& tools, model::Stack stack);
// The same of every stack that is not down, but for one.
awaitable<std::set<std::string>> hook_image_tags_in_use(Tools& tools, std::string except);

// Removes the images that are neither kept nor used by any container; returns what went: its tag, else its
// id. `stack`: only those that this stack had made; "" is all.
awaitable<std::vector<std::string>> remove_hook_images(Tools& tools, std::string stack,
                                                       std::set<std::string> more,
                                                       std::set<std::string> kept);

}  // namespace stackd::steps
