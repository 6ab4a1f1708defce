#include "client/api.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <random>

#include "client/error.hpp"
#include "client/text.hpp"
#include "proto/frames.hpp"

namespace stackd::client {
namespace {

using namespace std::chrono_literals;

constexpr auto k_limit = 30s;
// Loading a stack file runs what its env_from names (a vault's command, say).
constexpr auto k_load_limit = 300s;

template <class T>
T parse(const std::string& text, const char* list = nullptr) {
  try {
    nlohmann::json document = nlohmann::json::parse(text);
    return (list ? document.at(list) : document).get<T>();
  } catch (const nlohmann::json::exception& error) {
    throw ClientError(
        proto::k_operation_failed,
        std::string("cannot read the daemon's answer (is it another version?): ") + error.what());
  }
}

proto::Problem problem_of(const Head& head, const std::string& body) {
  proto::Problem problem;
  try {
    problem = nlohmann::json::parse(body).get<proto::Problem>();
  } catch (const nlohmann::json::exception&) {
    problem.detail = body.substr(0, 500);  // not ours: a proxy, another server
  }
  problem.status = head.status;
  return problem;
}

// The daemon went away (and may come back), and did not break the protocol or a deadline.
bool is_gone(const TransportError& error) {
  const int number = error.error_number();
  return number == ECONNRESET || number == EPIPE || number == ECONNREFUSED || number == ENOENT;
}

// Names one wish, so that the daemon knows it again when it is sent twice.
std::string random_key() {
  std::random_device source;
  std::string key;
  for (int i = 0; i < 16; ++i) key += "0123456789abcdef"[source() % 16];
  return key;
}

template <class T>
std::string text_of(const T& value) {
  return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Api::Api(Endpoint endpoint, std::unique_ptr<Connection> idle, std::chrono::milliseconds patience)
    : endpoint_(std::move(endpoint)), idle_(std::move(idle)), patience_(patience) {}

std::string Api::call_once(const Request& request, Deadline deadline) {
  if (!idle_) idle_ = std::make_unique<Connection>(endpoint_, deadline);
  Head head = idle_->exchange(request, deadline);
  std::string body = idle_->read_all(deadline);
  if (!idle_->reusable()) idle_.reset();
  if (head.status >= 400) throw ApiError(problem_of(head, body));
  return body;
}

std::string Api::call(const Request& request, std::chrono::milliseconds limit) {
  // One that was never there is not waited for: starting it is the caller's business.
  if (!idle_) idle_ = std::make_unique<Connection>(endpoint_, in(limit));
  std::optional<Deadline> give_up;
  std::chrono::milliseconds pause{0};
  while (true) {
    try {
      return call_once(request, in(limit));
    } catch (const TransportError& error) {
      idle_.reset();
      if (request.method == "DELETE" || !is_gone(error)) throw;
      if (give_up && std::chrono::steady_clock::now() >= *give_up) throw;
      if (!give_up) give_up = in(patience_);
    }
    ::poll(nullptr, 0, static_cast<int>(pause.count()));
    pause = std::clamp<std::chrono::milliseconds>(pause * 2, 20ms, 500ms);
  }
}

std::string Api::get(const std::string& target) {
  return call({.target = target}, k_limit);
}

std::string Api::post(const std::string& target, const std::string& body) {
  Request request{.method = "POST", .target = target, .body = body};
  request.headers.emplace_back("Idempotency-Key", random_key());
  return call(request, k_load_limit);
}

std::string Api::remove(const std::string& target) {
  return call({.method = "DELETE", .target = target}, k_limit);
}

Api::Stream Api::stream(const std::string& target, const std::string& accept,
                        const std::string& last_event_id) {
  Request request{.target = target};
  request.headers.emplace_back("Accept", accept);
  if (!last_event_id.empty()) request.headers.emplace_back("Last-Event-ID", last_event_id);
  Connection connection(endpoint_, in(k_limit));
  Head head = connection.exchange(request, in(k_limit));
  if (head.status >= 400) throw ApiError(problem_of(head, connection.read_all(in(k_limit))));
  return {std::move(connection), std::move(head)};
}

Api::Stream Api::upgrade(const std::string& target, const std::string& body) {
  Request request{.method = "POST", .target = target, .body = body};
  request.headers.emplace_back("Connection", "Upgrade");
  request.headers.emplace_back("Upgrade", std::string(proto::k_stream_protocol));
  Connection connection(endpoint_, in(k_limit));
  Head head = connection.exchange(request, k_never);
  if (head.status >= 400) throw ApiError(problem_of(head, connection.read_all(in(k_limit))));
  if (head.status != 101)
    throw ClientError(proto::k_operation_failed,
                      "the daemon did not hand over the connection (is it another version?)");
  return {std::move(connection), std::move(head)};
}

std::string Api::post_patiently(const std::string& target, const std::string& body) {
  Connection connection(endpoint_, in(k_limit));
  Head head = connection.exchange({.method = "POST", .target = target, .body = body}, k_never);
  std::string answer = connection.read_all(k_never);
  if (head.status >= 400) throw ApiError(problem_of(head, answer));
  return answer;
}

void Api::upload(const std::string& target, const std::function<void(const Piece&)>& write) {
  Connection connection(endpoint_, in(k_limit));
  Request request{.method = "PUT", .target = target, .body = ""};
  request.headers.emplace_back("Content-Type", "application/x-tar");
  connection.begin_upload(request, in(k_limit));
  write([&](std::string_view piece) { return connection.upload(piece); });
  const Head head = connection.end_upload(k_never);
  const std::string answer = connection.read_all(in(k_limit));
  if (head.status >= 400) throw ApiError(problem_of(head, answer));
}

proto::Info Api::info() {
  return parse<proto::Info>(get("/v1/info"));
}

std::vector<proto::Stack> Api::stacks() {
  return parse<std::vector<proto::Stack>>(get("/v1/stacks"), "stacks");
}

proto::Stack Api::stack(const std::string& id) {
  return parse<proto::Stack>(get(target::stack(id)));
}

proto::Operation Api::up(const proto::UpRequest& request) {
  return parse<proto::Operation>(post("/v1/stacks", text_of(request)));
}

proto::Validation Api::validate(const proto::UpRequest& request) {
  return parse<proto::Validation>(post("/v1/validate", text_of(request)));
}

proto::Config Api::config(const proto::UpRequest& request) {
  return parse<proto::Config>(post("/v1/config", text_of(request)));
}

nlohmann::ordered_json Api::bake(const proto::ImagesRequest& request) {
  return nlohmann::ordered_json::parse(post("/v1/bake", text_of(request)));
}

proto::Graph Api::graph(const proto::UpRequest& request) {
  return parse<proto::Graph>(post("/v1/graph", text_of(request)));
}

proto::Operation Api::down(const std::string& stack, const proto::DownRequest& request) {
  return parse<proto::Operation>(post(target::stack(stack) + "/down", text_of(request)));
}

proto::Operation Api::images(const proto::ImagesRequest& request) {
  return parse<proto::Operation>(post("/v1/images", text_of(request)));
}

proto::Operation Api::services(const std::string& stack, const std::string& verb,
                               const proto::ServicesRequest& request) {
  return parse<proto::Operation>(post(target::stack(stack) + "/" + verb, text_of(request)));
}

proto::Operation Api::operation(const std::string& id) {
  return parse<proto::Operation>(get(target::operation(id)));
}

std::vector<proto::Operation> Api::operations(const std::string& stack) {
  return parse<std::vector<proto::Operation>>(get("/v1/operations?limit=20&stack=" + percent_encode(stack)),
                                              "operations");
}

proto::Operation Api::run_hooks(const std::string& stack, const std::vector<std::string>& hooks) {
  return parse<proto::Operation>(
      post(target::hooks(stack) + "/run", text_of(proto::HooksRunRequest{.hooks = hooks})));
}

proto::Operation Api::roll_back(const std::string& stack) {
  return parse<proto::Operation>(post(target::stack(stack) + "/rollback"));
}

void Api::cancel(const std::string& operation) {
  post(target::operation(operation) + "/cancel");
}

proto::Top Api::top(const std::string& stack) {
  return parse<proto::Top>(get(target::top(stack)));
}

std::vector<proto::HookRun> Api::hooks(const std::string& stack) {
  return parse<std::vector<proto::HookRun>>(get(target::hooks(stack)), "hooks");
}

std::map<std::string, std::string> Api::environment(const std::string& stack, const std::string& group,
                                                    bool secrets) {
  return parse<std::map<std::string, std::string>>(get(target::environment(stack, group, secrets)),
                                                   "environment");
}

std::vector<proto::Command> Api::commands(const proto::UpRequest& request) {
  return parse<std::vector<proto::Command>>(post("/v1/commands", text_of(request)), "commands");
}

proto::Surroundings Api::surroundings(const proto::UpRequest& request, const std::string& command,
                                      const std::string& group) {
  std::string query = command.empty() ? "" : "?command=" + percent_encode(command);
  if (!group.empty()) query += (query.empty() ? "?group=" : "&group=") + percent_encode(group);
  return parse<proto::Surroundings>(post("/v1/environment" + query, text_of(request)));
}

proto::Surroundings Api::surroundings_of_service(const proto::UpRequest& request,
                                                 const std::string& service) {
  return parse<proto::Surroundings>(
      post("/v1/environment?service=" + percent_encode(service), text_of(request)));
}

namespace target {

std::string stack(const std::string& id) {
  return "/v1/stacks/" + percent_encode(id);
}

std::string top(const std::string& id) {
  return stack(id) + "/top";
}

std::string hooks(const std::string& id) {
  return stack(id) + "/hooks";
}

std::string environment(const std::string& id, const std::string& group, bool secrets) {
  std::string query = secrets ? "?secrets=1" : "";
  if (!group.empty()) query += (query.empty() ? "?group=" : "&group=") + percent_encode(group);
  return stack(id) + "/env" + query;
}

std::string logs(const std::string& id, const proto::LogsRequest& request) {
  std::string query = "?tail=" + percent_encode(request.tail);
  for (const auto& service : request.services) query += "&service=" + percent_encode(service);
  if (!request.since.empty()) query += "&since=" + percent_encode(request.since);
  if (!request.until.empty()) query += "&until=" + percent_encode(request.until);
  if (request.follow) query += "&follow=1";
  if (request.keep) query += "&keep=1";
  if (request.timestamps) query += "&timestamps=1";
  for (const auto& seen : request.after) query += "&after=" + percent_encode(seen);
  return stack(id) + "/logs" + query;
}

std::string hook_log(const std::string& run, bool follow, std::uint64_t from) {
  return "/v1/hooks/" + percent_encode(run) + "/log" + (follow ? "?follow=1" : "") +
         (from > 0 ? (follow ? "&from=" : "?from=") + std::to_string(from) : "");
}

std::string operation(const std::string& id) {
  return "/v1/operations/" + percent_encode(id);
}

std::string operation_events(const std::string& id) {
  return operation(id) + "/events";
}

}  // namespace target

}  // namespace stackd::client
