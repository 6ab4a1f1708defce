// Api: the daemon's API (version 1) as typed calls. One connection, kept between calls; streams have their
// own. Throws ApiError for a problem document, TransportError when the connection could not be made or broke,
// ClientError for an answer that cannot be read.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/http.hpp"
#include "proto/types.hpp"

namespace stackd::client {

inline constexpr std::chrono::milliseconds k_reconnect_for{30'000};

class Api {
public:
  // `idle`: a connection that is there already. `patience`: for how long a daemon that is lost before it has
  // answered is looked for again.
  explicit Api(Endpoint endpoint, std::unique_ptr<Connection> idle = nullptr,
               std::chrono::milliseconds patience = k_reconnect_for);

  const Endpoint& endpoint() const { return endpoint_; }

  // The document as it came, for --json.
  std::string get(const std::string& target);
  std::string post(const std::string& target, const std::string& body = "{}");
  std::string remove(const std::string& target);
  // A connection at the start of an answer's body. `accept` is the media type asked for.
  struct Stream {
    Connection connection;
    Head head;
  };
  // A connection that speaks frames (proto/frames.hpp); may wait for a running operation to end.
  Stream upgrade(const std::string& target, const std::string& body);
  // As post(), for what may wait for a running operation to end.
  std::string post_patiently(const std::string& target, const std::string& body);
  Stream stream(const std::string& target, const std::string& accept, const std::string& last_event_id = "");

  // Puts a body that `write` makes, piece by piece; it is to stop when its sink says false.
  using Piece = std::function<bool(std::string_view)>;
  void upload(const std::string& target, const std::function<void(const Piece&)>& write);

  proto::Info info();
  std::vector<proto::Stack> stacks();
  proto::Top top(const std::string& stack);
  proto::Stack stack(const std::string& id);
  proto::Operation up(const proto::UpRequest& request);
  proto::Validation validate(const proto::UpRequest& request);
  proto::Config config(const proto::UpRequest& request);
  proto::Graph graph(const proto::UpRequest& request);
  proto::Operation down(const std::string& stack, const proto::DownRequest& request);
  // `verb`: stop, start, restart.
  proto::Operation images(const proto::ImagesRequest& request);
  nlohmann::ordered_json bake(const proto::ImagesRequest& request);
  proto::Operation services(const std::string& stack, const std::string& verb,
                            const proto::ServicesRequest& request);
  proto::Operation operation(const std::string& id);
  std::vector<proto::Operation> operations(const std::string& stack);  // the newest first
  proto::Operation run_hooks(const std::string& stack, const std::vector<std::string>& hooks);
  proto::Operation roll_back(const std::string& stack);
  void cancel(const std::string& operation);
  std::vector<proto::HookRun> hooks(const std::string& stack);
  std::map<std::string, std::string> environment(const std::string& stack, const std::string& group,
                                                 bool secrets);
  std::vector<proto::Command> commands(const proto::UpRequest& request);
  // Of one of the file's commands, or with "" of anything in `group`.
  proto::Surroundings surroundings(const proto::UpRequest& request, const std::string& command,
                                   const std::string& group);
  proto::Surroundings surroundings_of_service(const proto::UpRequest& request, const std::string& service);

private:
  // Asks again when the connection is lost before the answer is whole, which is safe: a question changes
  // nothing, and a wish carries a key by which the daemon knows it again.
  std::string call(const Request& request, std::chrono::milliseconds limit);
  std::string call_once(const Request& request, Deadline deadline);

  Endpoint endpoint_;
  std::unique_ptr<Connection> idle_;
  std::chrono::milliseconds patience_;
};

// Targets, for get() and stream().
namespace target {
std::string stack(const std::string& id);
std::string top(const std::string& stack);
std::string hooks(const std::string& stack);
std::string environment(const std::string& stack, const std::string& group, bool secrets);
std::string logs(const std::string& stack, const proto::LogsRequest& request);
// `from`: the bytes that were read already.
std::string hook_log(const std::string& run, bool follow, std::uint64_t from = 0);
std::string operation(const std::string& id);
std::string operation_events(const std::string& id);
}  // namespace target

}  // namespace stackd::client
