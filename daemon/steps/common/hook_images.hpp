// Images with build hooks on top: whose they are, and taking away those that nobody uses.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "daemon/steps/common/tools.hpp"

namespace stackd::steps {

// Tags that the stack's services would run now, as far as what is below them is there.
awaitable<std::set<std::string>> hook_image_tags(Tools& tools, model::Stack stack);
// The same of every stack that is not down, but for one.
awaitable<std::set<std::string>> hook_image_tags_in_use(Tools& tools, std::string except);

// What these stacks had made and is not kept: tags, and ids of what has none.
awaitable<std::set<std::string>> unused_hook_images(Tools& tools, std::set<std::string> stacks,
                                                    std::set<std::string> kept);
// Removes those, and `more`, unless a container uses them; returns what went: its tag, else its id. Images of
// stacks that are not named are somebody else's: another daemon's, maybe.
awaitable<std::vector<std::string>> remove_hook_images(Tools& tools, std::set<std::string> stacks,
                                                       std::set<std::string> more,
                                                       std::set<std::string> kept);

}  // namespace stackd::steps
