// What `exec`, `run` and others have in common that name a service of a stack, up or not.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/context.hpp"

namespace stackd::client {

struct NamedService {
  std::string name, kind;             // container, process, oneshot
  std::optional<proto::Stack> stack;  // nothing while it is only in the file
};

// The service of the stack that is meant here which has this name; nothing when there is none, or no stack.
std::optional<NamedService> service_named(Context& context, const std::string& word);

// A running operation of the stack is waited for by the daemon: says so. Whether it is to be waited for: not
// with --no-wait, and not for the operation whose own hook we are.
bool tell_of_wait(const Context& context, const proto::Stack& stack, bool no_wait);

// "NAME=VALUE" as it is, "NAME" with the value that it has here; one that has none is left out.
std::vector<std::string> with_values(const std::vector<std::string>& variables);

}  // namespace stackd::client
