// What a client that died had asked the engine for goes on in the engine (semantics.md E5): a container's
// name is taken at once, the list shows it a little later, and only at the end can it be used. Control thread
// only.
#pragma once

#include "daemon/docker/engine.hpp"
#include "daemon/util/time.hpp"

namespace stackd::docker {

// The container of this id once it can be used; nothing when it is not there, or the engine gives it up.
awaitable<std::optional<ContainerDetails>> when_usable(Engine& engine, std::string id);

// Whether the container was started since then, though it may have ended again; a start that was asked for by
// a client that died may still be on its way, and is waited for. A second start, after the first has come to
// its end, would run the container twice.
awaitable<bool> start_landed(Engine& engine, std::string id, util::TimeMs since);

// The container's id, made by this request or by an earlier one of the same labels that was still at work.
// Throws conflict when another container has the name, and what Engine::create_container throws.
awaitable<std::string> create_or_find(Engine& engine, std::string name, nlohmann::json body,
                                      std::string platform = "");

}  // namespace stackd::docker
