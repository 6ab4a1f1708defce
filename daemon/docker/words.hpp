// What the engine says in words that decide something: its API has no field for it. Everything that depends
// on the text of a message is here, with the text that each engine writes in
// tests/unit/daemon/docker/words_test.cpp. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace stackd::docker {

// ---- of a list entry's `Status`: "Up 3 seconds (healthy)", "Exited (3) 2 minutes ago"

// "", starting, healthy, unhealthy.
std::string_view health_in(std::string_view status);
std::optional<int> exit_code_in(std::string_view status);

// ---- of an event's action: "health_status: healthy" (C11.5)

std::string_view health_in_action(std::string_view action);  // "" when it is another

// ---- of errors

// Somebody's earlier request to remove it is still at it (E5).
bool is_being_removed(std::string_view error);
// A network that containers are on, which is 403 where a volume in use is 409.
bool has_active_endpoints(std::string_view error);
// A build whose cached layer was removed meanwhile by somebody else.
bool lost_a_layer(std::string_view error);
// A registry that wants a login, or another one. Docker's own says the same of what is not there.
bool wants_login(std::string_view error);
// A fault of a pull or push that the next try may not meet: too many requests, a connection that was cut, a
// server that is busy.
bool is_passing(std::string_view error);
// How long the registry asks to wait before the next try; nothing when it does not say.
std::optional<std::chrono::milliseconds> wait_asked_for(std::string_view error);
// The status that a build step ended with; -1 when it was not a status that ended it.
int build_status(std::string_view error);

}  // namespace stackd::docker
