// Finding what a request names.
#pragma once

#include <functional>
#include <string>

#include "daemon/spec/load.hpp"
#include "daemon/stacks/services.hpp"
#include "proto/types.hpp"

namespace stackd::stacks {

// The files of a request, read on the file thread.
awaitable<spec::Spec> load_spec(Services& services, proto::UpRequest request);
// What they are, whatever is in them.
awaitable<spec::Sources> find_sources(Services& services, proto::UpRequest request);
// By id, or by name when only one stack has it. Throws not_found with the nearest, invalid_request when a
// name is shared.
awaitable<store::StackRow> find_stack(Services& services, std::string id_or_name);
// Throws not_found with the nearest name.
void check_service(const Model& model, const std::string& name);
std::function<void(store::Database&)> set_last_operation(const std::string& stack,
                                                         const std::string& operation);

}  // namespace stackd::stacks
