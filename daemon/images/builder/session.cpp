#include "daemon/images/builder/session.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>

#include <wire.pb.h>
#include "daemon/dotdocker/logins.hpp"
#include "daemon/images/builder/file_sync.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/ids.hpp"
#include "daemon/util/user_file.hpp"

namespace stackd::builder {
namespace {

constexpr const char* k_health = "/grpc.health.v1.Health/Check";
constexpr const char* k_files = "/moby.filesync.v1.FileSync/DiffCopy";
constexpr const char* k_credentials = "/moby.filesync.v1.Auth/Credentials";
constexpr const char* k_secret = "/moby.buildkit.secrets.v1.Secrets/GetSecret";
constexpr const char* k_check_agent = "/moby.sshforward.v1.SSH/CheckAgent";
constexpr const char* k_forward_agent = "/moby.sshforward.v1.SSH/ForwardAgent";

constexpr std::size_t k_largest_secret = 500 * 1024;

struct Answer {
  Status status;
  std::string message;  // when the status is ok
};

// A call of one question and one answer.
template <class Question>
class Unary : public Handler {
public:
  using Answerer = std::function<void(Stream&, const Question&)>;
  explicit Unary(Answerer answerer) : answerer_(std::move(answerer)) {}
  void on_message(Stream& stream, std::string_view message) override {
    Question question;
    if (!question.ParseFromArray(message.data(), static_cast<int>(message.size())))
      return stream.finish({Code::unknown, "the question cannot be read"});
    answerer_(stream, question);
  }

private:
  Answerer answerer_;
};

void answer(Stream& stream, const Answer& answer) {
  if (answer.status.ok()) stream.send(answer.message);
  stream.finish(answer.status);
}

Answer read_secret(const images::BuildRequest& request, const dotdocker::Environment& caller,
                   const std::string& id) {
  const auto found = std::find_if(request.secrets.begin(), request.secrets.end(),
                                  [&](const auto& secret) { return secret.id == id; });
  if (found == request.secrets.end()) return {{Code::not_found, "secret " + id + ": not found"}, ""};
  wire::SecretAnswer secret;
  if (!found->file.empty()) {
    try {
      secret.set_data(util::read_user_file(found->file, {.size = k_largest_secret}));
    } catch (const util::Error& e) {
      return {{Code::unknown, "secret " + id + ": " + e.what()}, ""};
    }
  } else if (const auto value = caller.find(found->variable); value != caller.end()) {
    secret.set_data(value->second);
  } else {
    return {
        {Code::not_found, "secret " + id + ": the variable " + found->variable + " is not set: not found"},
        ""};
  }
  return {{}, secret.SerializeAsString()};
}

Answer read_login(const dotdocker::Environment& caller, const std::string& host) {
  // Docker's own registry by the name of its server.
  const auto registry = host == "registry-1.docker.io" ? std::string("docker.io") : host;
  wire::CredentialsAnswer credentials;
  try {
    const auto found = dotdocker::find_login(caller, registry);
    if (found.login && !found.login->identity_token.empty()) {
      credentials.set_secret(found.login->identity_token);
    } else if (found.login) {
      credentials.set_username(found.login->username);
      credentials.set_secret(found.login->password);
    }
  } catch (const util::Error& e) {
    return {{Code::unknown, e.what()}, ""};
  }
  return {{}, credentials.SerializeAsString()};
}

util::Fd connect_agent(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return {};
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  util::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return fd;
}

// Bytes between the build and an agent, both ways.
class AgentCall : public Handler {
public:
  AgentCall(Loop& loop, Connection& connection, std::int32_t id, util::Fd agent)
      : loop_(loop), agent_(std::move(agent)) {
    const auto ready = [this, &connection, id](short) {
      auto* stream = connection.find(id);
      char bytes[4096];
      const auto count = ::recv(agent_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
      if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (count > 0 && stream) {
        wire::AgentBytes message;
        message.set_data(bytes, static_cast<std::size_t>(count));
        return stream->send(message.SerializeAsString());
      }
      close();
      if (stream) stream->finish();
    };
    loop_.watch(
        agent_.get(), [] { return static_cast<short>(POLLIN); }, ready);
  }
  ~AgentCall() override { close(); }
  AgentCall(const AgentCall&) = delete;
  AgentCall& operator=(const AgentCall&) = delete;

  void on_message(Stream& stream, std::string_view message) override {
    wire::AgentBytes bytes;
    if (!agent_ || !bytes.ParseFromArray(message.data(), static_cast<int>(message.size()))) return;
    // What an agent is asked is short.
    const auto& data = bytes.data();
    if (::send(agent_.get(), data.data(), data.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(data.size()))
      stream.finish({Code::unavailable, "the ssh agent does not answer"});
  }
  void on_peer_end(Stream& stream) override {
    close();
    stream.finish();
  }

private:
  void close() {
    if (agent_) loop_.forget(agent_.get());
    agent_.reset();
  }
  Loop& loop_;
  util::Fd agent_;
};

// A build that asks the keys of files.
class KeyCall : public Handler {
public:
  explicit KeyCall(SshKeys keys) : agent_(std::move(keys)) {}
  void on_message(Stream& stream, std::string_view message) override {
    wire::AgentBytes bytes;
    if (!bytes.ParseFromArray(message.data(), static_cast<int>(message.size()))) return;
    if (auto answers = agent_.take(bytes.data()); !answers.empty()) {
      bytes.set_data(std::move(answers));
      stream.send(bytes.SerializeAsString());
    }
    if (agent_.broken())
      stream.finish({Code::unavailable, "the build speaks to its ssh keys in no agent's way"});
  }
  void on_peer_end(Stream& stream) override { stream.finish(); }

private:
  KeyAgent agent_;
};

bool is_socket(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

SshSource source_of(const images::BuildAgent& agent) {
  SshSource source;
  if (agent.paths.empty())
    throw util::Error(util::ErrorKind::failed,
                      "there is no ssh agent for '" + agent.id +
                          "' of the build: SSH_AUTH_SOCK is not set where it was asked for");
  if (agent.paths.size() == 1 && is_socket(agent.paths.front())) {
    source.socket = agent.paths.front();
    return source;
  }
  for (const auto& path : agent.paths) source.keys.push_back(read_ssh_key(path));
  return source;
}

}  // namespace

std::string shared_key(const images::BuildRequest& request) {
  util::Sha256 hash;
  hash.add(util::read_file_if_there("/etc/machine-id").value_or(""));
  for (const auto& [name, directory] : request.directories) hash.add(name + "=" + directory + "\n");
  return hash.hex();
}

Session::Session(Loop& loop, const images::BuildRequest& request, const dotdocker::Environment& caller,
                 Connection::Closed lost)
    : loop_(loop), request_(request), caller_(caller), id_(util::random_hex(25)) {
  for (const auto& agent : request.agents) ssh_.emplace(agent.id, source_of(agent));
  std::vector<std::pair<std::string, std::string>> headers{
      {"X-Docker-Expose-Session-Uuid", id_},
      {"X-Docker-Expose-Session-Name", "stackd"},
      {"X-Docker-Expose-Session-Sharedkey", shared_key(request)}};
  for (const char* method : {k_health, k_files, k_credentials, k_secret, k_check_agent, k_forward_agent})
    headers.emplace_back("X-Docker-Expose-Session-Grpc-Method", method);
  auto socket = upgrade(request.engines, "/v" + request.api + "/session", headers);
  connection_ = std::make_unique<Connection>(
      loop, std::move(socket),
      [this](Stream& stream, const std::string& path) { return accept(stream, path); }, std::move(lost));
}

std::unique_ptr<Handler> Session::accept(Stream& stream, const std::string& path) {
  if (path == k_files) return files(stream);
  if (path == k_health)
    return std::make_unique<Unary<wire::AgentAnswer>>([](Stream& call, const auto&) {
      wire::HealthAnswer health;
      health.set_status(1);  // it serves
      answer(call, {{}, health.SerializeAsString()});
    });
  if (path == k_secret)
    return std::make_unique<Unary<wire::SecretRequest>>([this](Stream& call, const auto& asked) {
      answer(call, read_secret(request_, caller_, asked.id()));
    });
  if (path == k_credentials)
    // A helper may take its time, and the builder's other questions do not wait for it.
    return std::make_unique<Unary<wire::CredentialsRequest>>([this](Stream& call, const auto& asked) {
      loop_.beside([this, id = call.id(), host = asked.host(), caller = caller_]() -> std::function<void()> {
        return [this, id, found = read_login(caller, host)] {
          if (auto* waiting = connection_->find(id)) answer(*waiting, found);
        };
      });
    });
  if (path == k_check_agent)
    return std::make_unique<Unary<wire::AgentRequest>>([this](Stream& call, const auto& asked) {
      const auto* source = ssh_of(asked.id());
      if (source && (!source->keys.empty() || connect_agent(source->socket))) return answer(call, {});
      answer(call, {{Code::not_found, "there is no ssh agent '" + asked.id() + "' for this build"}, ""});
    });
  if (path == k_forward_agent) {
    const auto* source = ssh_of(stream.header("buildkit.ssh.id"));
    if (source && !source->keys.empty()) return std::make_unique<KeyCall>(source->keys);
    auto agent = connect_agent(source ? source->socket : "");
    if (agent) return std::make_unique<AgentCall>(loop_, *connection_, stream.id(), std::move(agent));
  }
  return nullptr;
}

const SshSource* Session::ssh_of(const std::string& id) const {
  const auto found = ssh_.find(id.empty() ? "default" : id);
  return found == ssh_.end() ? nullptr : &found->second;
}

std::unique_ptr<Handler> Session::files(Stream& stream) {
  const auto name = stream.header("dir-name");
  if (const auto texts = request_.texts.find(name); texts != request_.texts.end())
    return send_texts(texts->second);
  if (const auto directory = request_.directories.find(name); directory != request_.directories.end())
    return send_directory(stream, directory->second);
  return nullptr;
}

}  // namespace stackd::builder
