#include "daemon/docker/engine.hpp"

#include "daemon/docker/http.hpp"

namespace stackd::docker {

Engine::Engine(asio::any_io_executor executor, std::string host)
    : http_(std::make_unique<Http>(std::move(executor), std::move(host))) {}
Engine::~Engine() = default;

const std::string& Engine::host() const {
  return http_->host();
}
awaitable<EngineVersion> Engine::version() {
  return http_->version();
}
const std::optional<EngineVersion>& Engine::known_version() const {
  return http_->known_version();
}

}  // namespace stackd::docker
