// What a handler is. Thin: read the request strictly, ask the Manager, write the answer; what goes wrong is
// thrown. The table of all is routes.cpp. Control thread only.
#pragma once

#include "daemon/api/routes.hpp"
#include "daemon/http/message.hpp"
#include "daemon/stacks/manager.hpp"

namespace stackd::api {

using stacks::Manager;
using Answer = awaitable<http::Response>;

// What a wish is answered with: 202 and where to look, or with `wait` 200 when it has ended.
Answer operation_answer(Manager& manager, proto::Operation operation, bool wait);

}  // namespace stackd::api
