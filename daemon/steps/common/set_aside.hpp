// X34: what an up takes out of service is kept until it has worked: noted before anything is done to it, then
// stopped by whoever takes it, then out of the way.
#pragma once

#include <string>

#include "daemon/steps/common/tools.hpp"
#include "daemon/store/kept.hpp"

namespace stackd::steps {

// Writes down what it is and does. `aside`: something else gets its place; otherwise it is only stopped. What
// was noted first stays.
awaitable<void> note_kept(Tools& tools, std::string stack, std::string service, docker::ContainerDetails old,
                          bool aside);
// Of a container that is stopped: out of the way of what gets its name, and of the engine, which would start
// it again. Safe to repeat.
awaitable<void> set_aside(Tools& tools, docker::ContainerDetails old);
// The way back: its name and its restart policy.
awaitable<void> put_back_one(Tools& tools, store::KeptRow row);
// And the networks that it has lost since, because they were made anew.
awaitable<void> reconnect(Tools& tools, std::string stack, docker::ContainerDetails container);

}  // namespace stackd::steps
