#include "daemon/images/builder/solve.hpp"

#include <optional>

#include "daemon/images/builder/failed_place.hpp"
#include "daemon/images/builder/plain_log.hpp"
#include "daemon/images/builder/session.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/ids.hpp"
#include "daemon/util/text.hpp"
#include "daemon/util/user_file.hpp"

namespace stackd::builder {
namespace {

template <class Entries>
void put_all(const std::map<std::string, std::string>& from, Entries& into) {
  for (const auto& [name, value] : from) into[name] = value;
}

wire::SolveRequest solve_request(const images::BuildRequest& request, const std::string& ref,
                                 const std::string& session) {
  wire::SolveRequest solve;
  solve.set_ref(ref);
  solve.set_exporter("moby");  // into the engine's own images
  (*solve.mutable_exporter_attributes())["name"] = util::join(request.tags, ",");
  solve.set_session(session);
  solve.set_frontend("dockerfile.v0");
  put_all(request.attributes, *solve.mutable_frontend_attributes());
  const auto add = [](const auto& from, auto& entries) {
    for (const auto& attributes : from) {
      auto& entry = *entries.Add();
      entry.set_type(attributes.at("type"));
      put_all(attributes, *entry.mutable_attributes());
      entry.mutable_attributes()->erase("type");
    }
  };
  add(request.cache_from, *solve.mutable_cache()->mutable_imports());
  add(request.cache_to, *solve.mutable_cache()->mutable_exports());
  for (const auto& name : request.entitlements) solve.add_entitlements(name);
  return solve;
}

// The call's messages and its end, each handed on.
class Listener : public Handler {
public:
  Listener(std::function<void(std::string_view)> message, std::function<void(const Status&)> end)
      : message_(std::move(message)), end_(std::move(end)) {}
  void on_message(Stream&, std::string_view message) override {
    if (message_) message_(message);
  }
  void on_end(Stream&, const Status& status) override { end_(status); }

private:
  std::function<void(std::string_view)> message_;
  std::function<void(const Status&)> end_;
};

// The reason without the builder's own steps to it.
std::string reason_in(std::string text) {
  for (const std::string_view chatter : {"failed to solve with frontend dockerfile.v0: ", "failed to solve: ",
                                         "failed to build LLB: ", "rpc error: "})
    if (text.starts_with(chatter)) text.erase(0, chatter.size());
  return text;
}

// Where it failed, as far as that can be said.
std::vector<std::string> place_lines(const images::BuildRequest& request, const std::string& details,
                                     const std::string& step) {
  const auto texts = request.texts.find("dockerfile");
  const auto directory = request.directories.find("dockerfile");
  const auto file = request.attributes.find("filename");
  std::string name = "Dockerfile", text;
  if (texts != request.texts.end() && !texts->second.empty()) {
    name = "the inline Dockerfile";
    text = texts->second.begin()->second;
  } else if (directory != request.directories.end() && file != request.attributes.end()) {
    name = directory->second + "/" + file->second;
    try {
      text = util::read_user_file(name);
    } catch (const util::Error&) {
      text.clear();  // it was there when it was sent
    }
  }
  auto place = failed_place(details);
  if (place.first == 0) place = failed_place(text, step);
  return shown_place(place, place.text.empty() ? text : place.text, name);
}

}  // namespace

Built build(const images::BuildRequest& request, const dotdocker::Environment& caller,
            const std::function<void(const std::string&)>& line) {
  Loop loop;
  std::optional<std::string> lost;
  const auto on_lost = [&](const std::string& why) {
    if (!lost) lost = why;
    loop.stop();
  };
  Session session(loop, request, caller, on_lost);
  Connection control(loop, upgrade(request.engines, "/v" + request.api + "/grpc", {}), nullptr, on_lost);

  const auto ref = util::random_hex(25);
  PlainLog log(line, request.streams);
  std::optional<Status> solved, told;
  const auto maybe_over = [&] {
    // A build that could not begin has no progress to wait for.
    if (solved && (told || !solved->ok())) loop.stop();
  };
  const auto on_solved = [&](const Status& status) {
    solved = status;
    maybe_over();
  };
  const auto on_progress = [&](std::string_view message) {
    wire::StatusResponse status;
    if (status.ParseFromArray(message.data(), static_cast<int>(message.size()))) log.add(status);
  };
  const auto on_told = [&](const Status& status) {
    told = status;
    maybe_over();
  };
  auto& solving =
      control.call("/moby.buildkit.v1.Control/Solve", std::make_unique<Listener>(nullptr, on_solved));
  solving.send(solve_request(request, ref, session.id()).SerializeAsString());
  solving.finish();
  auto& telling =
      control.call("/moby.buildkit.v1.Control/Status", std::make_unique<Listener>(on_progress, on_told));
  wire::StatusRequest asked;
  asked.set_ref(ref);
  telling.send(asked.SerializeAsString());
  telling.finish();
  loop.run();
  log.finish();
  if (!solved)
    throw util::Error(util::ErrorKind::no_engine,
                      "the Docker engine broke off the build: " + lost.value_or("the connection is gone"));
  auto lines = log.failed();
  if (!solved->ok())
    for (auto& text : place_lines(request, solved->details, lines.empty() ? "" : lines.front()))
      lines.push_back(std::move(text));
  return {solved->ok(), reason_in(solved->message), std::move(lines)};
}

}  // namespace stackd::builder
