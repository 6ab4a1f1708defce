// Every handler of the route table, by resource. Thin: read the request strictly, ask the Manager, write the
// answer; what goes wrong is thrown. Control thread only.
#pragma once

#include <chrono>

#include "daemon/api/routes.hpp"
#include "daemon/http/message.hpp"
#include "daemon/stacks/manager.hpp"

namespace stackd::api {

using stacks::Manager;
using Answer = awaitable<http::Response>;

// system.cpp
Answer ping(Manager& manager, http::Request request);
Answer version(Manager& manager, http::Request request);
Answer info(Manager& manager, http::Request request);
Answer prune(Manager& manager, http::Request request);
Answer schema(Manager& manager, http::Request request);
Answer metrics(Manager& manager, std::chrono::steady_clock::time_point started, http::Request request);

// stacks.cpp
Answer list_stacks(Manager& manager, http::Request request);
Answer bring_up(Manager& manager, http::Request request);
Answer get_stack(Manager& manager, http::Request request);
Answer take_down(Manager& manager, http::Request request);
Answer stop_stack(Manager& manager, http::Request request);
Answer start_stack(Manager& manager, http::Request request);
Answer restart_stack(Manager& manager, http::Request request);
Answer forget_stack(Manager& manager, http::Request request);
Answer stack_environment(Manager& manager, http::Request request);
Answer stack_top(Manager& manager, http::Request request);
Answer validate(Manager& manager, http::Request request);
Answer resolved_config(Manager& manager, http::Request request);
Answer service_graph(Manager& manager, http::Request request);

// commands.cpp
Answer list_commands(Manager& manager, http::Request request);
Answer surroundings(Manager& manager, http::Request request);

// operations.cpp
Answer list_operations(Manager& manager, http::Request request);
Answer get_operation(Manager& manager, http::Request request);
Answer cancel_operation(Manager& manager, http::Request request);
// What a wish is answered with: 202 and where to look, or with `wait` 200 when it has ended.
Answer operation_answer(Manager& manager, proto::Operation operation, bool wait);

// hooks.cpp
Answer list_hooks(Manager& manager, http::Request request);
awaitable<void> hook_log(Manager& manager, http::Request request, http::ResponseWriter& writer);

// events.cpp
awaitable<void> operation_events(Manager& manager, Options options, http::Request request,
                                 http::ResponseWriter& writer);
awaitable<void> all_events(Manager& manager, Options options, http::Request request,
                           http::ResponseWriter& writer);

// logs.cpp
awaitable<void> service_logs(Manager& manager, Options options, http::Request request,
                             http::ResponseWriter& writer);

}  // namespace stackd::api
