// Http: requests and answers over the pool of connections, version negotiation, and the errors of both. The
// Engine's methods are spelled with it, a file for each subject. Control thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/async/signal.hpp"
#include "daemon/docker/engine.hpp"
#include "daemon/docker/pool.hpp"
#include "daemon/docker/request.hpp"
#include "daemon/util/error.hpp"

namespace stackd::docker {

// The engine's refusals that say what is there and what is not.
constexpr int k_not_modified = 304, k_forbidden = 403, k_not_found = 404, k_conflict = 409;

struct Answer {
  int status = 0;
  std::string body;
};

// The body of an answer as it comes. Closes the connection when it goes away before the end.
class Body {
public:
  struct Options {
    std::string what, host;                          // for the message of an error
    std::optional<std::chrono::milliseconds> limit;  // between two pieces
  };
  Body(std::shared_ptr<Connection> connection, std::shared_ptr<Pool> pool, Options options);
  // The next piece, empty at the end; valid until the next call. Throws Error(no_engine) when the answer is
  // cut short.
  awaitable<std::string_view> next();
  // Of the answer's head; before its end.
  std::string header(std::string_view name) const;

private:
  std::shared_ptr<Connection> connection_;  // nothing after the end
  std::shared_ptr<Pool> pool_;
  Options options_;
  std::string piece_;
};

class Http {
public:
  Http(asio::any_io_executor executor, std::string host);
  ~Http();

  const std::string& host() const { return address_.text; }
  awaitable<EngineVersion> version();
  const std::optional<EngineVersion>& known_version() const { return version_; }
  // The engine went away: whatever was negotiated is negotiated again.
  void lose();

  // The whole answer. Throws Error unless its status is 2xx or request.accepted.
  awaitable<Answer> call(Request request);
  // The whole answer as JSON.
  awaitable<nlohmann::json> call_json(Request request);
  // The same, nothing for 404.
  awaitable<std::optional<nlohmann::json>> find_json(Request request);
  // The answer as it comes. With a source the request's body is what the source gives, in chunks.
  awaitable<std::unique_ptr<Body>> open(Request request, BodySource source = nullptr);

  // The bare connection behind a 101 answer.
  awaitable<std::shared_ptr<Connection>> upgrade(Request request);

private:
  using Code = Connection::Code;
  struct Handed {
    std::shared_ptr<Connection> connection;
    bool used_before = false;
  };
  awaitable<std::shared_ptr<Connection>> exchange(Request request, BodySource source);
  awaitable<Handed> connection_for(bool versioned, bool fresh);
  awaitable<std::shared_ptr<Connection>> connect();
  awaitable<Code> send(std::shared_ptr<Connection> connection, std::string bytes, BodySource source);
  awaitable<std::string> read_rest(std::shared_ptr<Connection> connection, std::string what);
  awaitable<void> negotiate();
  awaitable<void> ask_version();

  asio::any_io_executor executor_;
  Address address_;
  std::string host_header_;
  std::shared_ptr<Pool> pool_;
  std::optional<EngineVersion> version_;
  bool negotiated_ = false, negotiating_ = false;
  async::Signal negotiation_over_;
};

// The JSON of an answer; Error(engine) when it is none.
nlohmann::json parse_answer(std::string_view what, std::string_view body);
// The lower of the engine's API version and k_newest_api; Error(unsupported) when the engine is below
// k_oldest_api.
std::string choose_api(std::string_view host, std::string_view engine_api);
// "<what>: <the engine's words>", its kind by the status.
util::Error engine_error(std::string_view what, int status, std::string_view body);

}  // namespace stackd::docker
