#include "daemon/docker/http.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <charconv>

#include "daemon/docker/json_fields.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::docker {
namespace {

using util::Error;
using util::ErrorKind;
using Code = Connection::Code;

constexpr std::chrono::milliseconds k_connect_limit = std::chrono::seconds(5);
constexpr std::chrono::milliseconds k_idle_limit = std::chrono::seconds(5);
constexpr std::size_t k_longest_answer = 256 << 20;

// Throws what a failed step on a connection means.
[[noreturn]] void fail(const Connection& connection, Code error, std::string_view what,
                       std::string_view host) {
  if (connection.timed_out())
    throw Error(ErrorKind::timed_out, std::string(what) + ": the Docker engine did not answer within " +
                                          util::format_duration(connection.limit()));
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  throw Error(ErrorKind::no_engine, std::string(what) + ": the Docker engine at " + std::string(host) +
                                        " broke off the connection: " + error.message());
}

[[noreturn]] void fail_connect(const Connection& connection, Code error, const Address& address) {
  if (!connection.timed_out() && error == asio::error::operation_aborted)
    throw boost::system::system_error(error);
  const auto where = "cannot reach the Docker engine at " + address.text + ": ";
  if (connection.timed_out())
    throw Error(ErrorKind::no_engine, where + "no connection within " +
                                          util::format_duration(k_connect_limit) + "; is it overloaded?");
  if (error == boost::system::errc::permission_denied)
    throw Error(ErrorKind::no_engine,
                where + error.message() +
                    "; this user may not open the socket: join the group that owns it (mostly "
                    "docker), or name another engine with DOCKER_HOST");
  const auto advice = address.path.empty() ? "; is it running, and does it listen there?"
                                           : "; is it running, and may this user open the socket?";
  throw Error(ErrorKind::no_engine, where + error.message() + advice);
}

std::pair<int, int> parse_api(std::string_view text) {
  std::pair<int, int> result{0, 0};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result.first);
  if (error == std::errc() && end != text.data() + text.size())
    std::from_chars(end + 1, text.data() + text.size(), result.second);
  return result;
}

}  // namespace

util::Error engine_error(std::string_view what, int status, std::string_view body) {
  const auto answer = json::parse(body, nullptr, false);
  auto message = text(answer, "message");
  if (message.empty()) message = text(answer, "cause");
  if (message.empty()) message = util::trim(util::valid_utf8(body.substr(0, 1000)));
  if (message.empty()) message = "the engine answered with status " + std::to_string(status);
  const auto kind = status == 404   ? ErrorKind::not_found
                    : status == 409 ? ErrorKind::conflict
                                    : ErrorKind::engine;
  return Error(kind, std::string(what) + ": " + message);
}

json parse_answer(std::string_view what, std::string_view body) {
  auto answer = json::parse(body, nullptr, false);
  if (answer.is_discarded())
    throw Error(ErrorKind::engine, std::string(what) + ": the engine's answer is no JSON");
  return answer;
}

std::string choose_api(std::string_view host, std::string_view engine_api) {
  const auto engine = parse_api(engine_api);
  if (engine < parse_api(k_oldest_api))
    throw Error(ErrorKind::unsupported, "cannot use the engine at " + std::string(host) +
                                            ": it speaks version \"" + std::string(engine_api) +
                                            "\" of the Docker API, and stackd needs " +
                                            std::string(k_oldest_api) + " (Docker 20.10) or newer");
  return std::string(engine < parse_api(k_newest_api) ? engine_api : k_newest_api);
}

Body::Body(std::shared_ptr<Connection> connection, std::shared_ptr<Pool> pool, Options options)
    : connection_(std::move(connection)), pool_(std::move(pool)), options_(std::move(options)) {}

std::string Body::header(std::string_view name) const {
  return connection_ ? std::string(connection_->header(name)) : std::string();
}

awaitable<std::string_view> Body::next() {
  piece_.clear();
  while (connection_) {
    // Swapped, not moved, so that both strings keep their memory.
    piece_.swap(connection_->body());
    if (!piece_.empty()) break;
    if (connection_->ended()) {
      pool_->put(std::move(connection_));
      connection_.reset();
      break;
    }
    connection_->set_limit(options_.limit);
    if (const Code error = co_await connection_->read_some(); error)
      fail(*connection_, error, options_.what, options_.host);
  }
  co_return piece_;
}

Http::Http(asio::any_io_executor executor, std::string host)
    : executor_(executor),
      address_(parse_address(host)),
      host_header_(address_.path.empty() ? address_.host + ":" + address_.port : "docker"),
      pool_(std::make_shared<Pool>(executor, k_idle_limit, [this] { lose(); })),
      negotiation_over_(executor) {}

// The pool may outlive this for a moment, in a Body or a handler; its connections must not call back.
Http::~Http() {
  pool_->close();
}

void Http::lose() {
  negotiated_ = false;
}

awaitable<EngineVersion> Http::version() {
  if (!negotiated_) co_await negotiate();
  co_return *version_;
}

// One negotiates, the others wait for it; when it fails, the next tries for itself.
awaitable<void> Http::negotiate() {
  while (negotiating_) co_await negotiation_over_.wait();
  if (negotiated_) co_return;
  struct Turn {
    Http& http;
    explicit Turn(Http& h) : http(h) { http.negotiating_ = true; }
    ~Turn() {
      http.negotiating_ = false;
      http.negotiation_over_.notify();
    }
  } turn(*this);
  co_await ask_version();
}

awaitable<void> Http::ask_version() {
  const std::string what = "cannot ask the engine for its version";
  Request ping{.what = what, .path = "/_ping", .versioned = false};
  auto connection = co_await exchange(std::move(ping), nullptr);
  std::string api(connection->header("Api-Version"));
  co_await read_rest(connection, what);
  pool_->put(std::move(connection));

  Request details{.what = what, .path = "/version", .versioned = false};
  const auto answer = co_await call_json(std::move(details));
  if (api.empty()) api = text(answer, "ApiVersion");
  EngineVersion version;
  version.api_version = choose_api(address_.text, api);
  version.version = text(answer, "Version");
  version.os = text(answer, "Os");
  version.arch = text(answer, "Arch");
  for (const auto& component : field(answer, "Components"))
    if (text(component, "Name") == "Podman Engine") version.podman = true;
  version_ = std::move(version);
  negotiated_ = true;
}

awaitable<std::shared_ptr<Connection>> Http::connect() {
  auto connection = std::make_shared<Connection>(executor_);
  connection->set_limit(k_connect_limit);
  if (const Code error = co_await connection->connect(address_); error) {
    lose();
    fail_connect(*connection, error, address_);
  }
  co_return connection;
}

awaitable<Http::Handed> Http::connection_for(bool versioned, bool fresh) {
  Handed handed;
  if (!fresh) handed.connection = pool_->take();
  // After take(): finding that the engine dropped a connection means to negotiate again.
  if (versioned && !negotiated_) {
    co_await negotiate();
    if (!handed.connection && !fresh) handed.connection = pool_->take();
  }
  handed.used_before = handed.connection != nullptr;
  if (!handed.connection) handed.connection = co_await connect();
  co_return handed;
}

awaitable<Code> Http::send(std::shared_ptr<Connection> connection, std::string bytes, BodySource source) {
  Code error = co_await connection->send(bytes);
  while (source && !error) {
    const auto piece = co_await source();
    error = co_await connection->send_chunk(piece);
    if (piece.empty()) break;
  }
  co_return error;
}

// Writes the request and reads the head of the answer. A kept-alive connection may turn out to be closed:
// then the request is sent again on a fresh one, if the engine cannot have acted on it, or acting twice is
// the same.
awaitable<std::shared_ptr<Connection>> Http::exchange(Request request, BodySource source) {
  for (bool fresh = source != nullptr;; fresh = true) {
    auto [connection, used_before] = co_await connection_for(request.versioned, fresh);
    connection->set_limit(request.limit);
    auto bytes =
        request_head(request, version_ ? version_->api_version : "", host_header_, source != nullptr);
    bytes += request.body;
    const Code unsent = co_await send(connection, std::move(bytes), source);
    Code error = unsent;
    // An engine that refuses a request before it has read all of it has said why.
    if (!unsent || (source && !connection->timed_out())) error = co_await connection->read_head();
    if (!error) co_return connection;
    const bool lost = !connection->timed_out() && error != asio::error::operation_aborted;
    if (lost) lose();
    const bool harmless = unsent || request.method == "GET";
    if (!lost || !used_before || connection->answered() || !harmless)
      fail(*connection, unsent ? unsent : error, request.what, host());
  }
}

awaitable<std::string> Http::read_rest(std::shared_ptr<Connection> connection, std::string what) {
  while (!connection->ended()) {
    if (const Code error = co_await connection->read_some(); error) {
      if (!connection->timed_out() && error != asio::error::operation_aborted) lose();
      fail(*connection, error, what, host());
    }
    if (connection->body().size() > k_longest_answer)
      throw Error(ErrorKind::engine, what + ": the engine's answer is too long");
  }
  co_return std::move(connection->body());
}

awaitable<Answer> Http::call(Request request) {
  const auto what = request.what;
  const int accepted = request.accepted;
  auto connection = co_await exchange(std::move(request), nullptr);
  Answer answer{connection->status(), {}};
  answer.body = co_await read_rest(connection, what);
  pool_->put(std::move(connection));
  if (answer.status / 100 != 2 && answer.status != accepted)
    throw engine_error(what, answer.status, answer.body);
  co_return answer;
}

awaitable<json> Http::call_json(Request request) {
  const auto what = request.what;
  const auto answer = co_await call(std::move(request));
  co_return parse_answer(what, answer.body);
}

awaitable<std::optional<json>> Http::find_json(Request request) {
  const auto what = request.what;
  request.accepted = k_not_found;
  const auto answer = co_await call(std::move(request));
  if (answer.status == k_not_found) co_return std::nullopt;
  co_return parse_answer(what, answer.body);
}

awaitable<std::unique_ptr<Body>> Http::open(Request request, BodySource source) {
  Body::Options options{request.what, host(), request.upgrade ? std::nullopt : request.limit};
  auto connection = co_await exchange(std::move(request), std::move(source));
  const int status = connection->status();
  if (status / 100 != 2 && status != 101) {
    const auto body = co_await read_rest(connection, options.what);
    pool_->put(std::move(connection));
    throw engine_error(options.what, status, body);
  }
  co_return std::make_unique<Body>(std::move(connection), pool_, std::move(options));
}

awaitable<std::shared_ptr<Connection>> Http::upgrade(Request request) {
  const auto what = request.what;
  request.upgrade = true;
  auto connection = co_await exchange(std::move(request), nullptr);
  if (connection->status() != 101) {
    const int status = connection->status();
    const auto body = co_await read_rest(connection, what);
    pool_->put(std::move(connection));
    throw engine_error(what, status, body);
  }
  connection->set_limit(std::nullopt);
  co_return connection;
}

}  // namespace stackd::docker
