// Engine: images, pulls and builds.
#include <deque>
#include <map>

#include "daemon/docker/decode.hpp"
#include "daemon/docker/http.hpp"
#include "daemon/docker/streams.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::docker {
namespace {

using util::Error;
using util::ErrorKind;

constexpr std::size_t k_kept_lines = 30;  // of a build's output, for the error

struct Reference {
  std::string repository, tag;
};

// "busybox" is busybox:latest: without a tag the engine would pull all there are. A digest takes the tag's
// place.
Reference split_reference(const std::string& reference) {
  if (const auto at = reference.find('@'); at != reference.npos)
    return {reference.substr(0, at), reference.substr(at + 1)};
  const auto colon = reference.rfind(':');
  const auto slash = reference.rfind('/');
  if (colon == reference.npos || (slash != reference.npos && colon < slash)) return {reference, "latest"};
  return {reference.substr(0, colon), reference.substr(colon + 1)};
}

// The lines of a pull worth showing: a layer's status when it changes, not each step of its progress.
class PullProgress {
public:
  // Nothing, or the line to be shown.
  std::optional<std::string> add(const Message& message) {
    if (message.status.empty()) return std::nullopt;
    auto& last = last_[message.id];
    if (last == message.status) return std::nullopt;
    last = message.status;
    return message.id.empty() ? message.status : message.id + ": " + message.status;
  }

private:
  std::map<std::string, std::string> last_;
};

// Collects what a build says: its lines, its image, its failure.
class BuildLog {
public:
  BuildLog() : lines_([this](std::string_view line) { emit(std::string(line)); }) {}
  BuildLog(const BuildLog&) = delete;
  BuildLog& operator=(const BuildLog&) = delete;

  void add(const Message& message) {
    if (!message.aux_id.empty()) image_ = message.aux_id;
    if (!message.error.empty()) error_ = message.error;
    lines_.feed(message.stream);
    if (auto line = pull_.add(message)) emit(std::move(*line));
  }
  // Since the last call.
  std::vector<std::string> take() { return std::exchange(fresh_, {}); }
  // No more comes; a last line may have had no newline.
  void close() { lines_.finish(); }
  // The image's id, or short id where the engine tells no other; throws Error(failed).
  std::string image(const std::string& what) const {
    if (!error_.empty()) throw Error(ErrorKind::failed, what + ": " + error_, {kept_.begin(), kept_.end()});
    if (image_.empty())
      throw Error(ErrorKind::engine, what + ": the engine did not tell the image's id",
                  {kept_.begin(), kept_.end()});
    return image_;
  }

private:
  void emit(std::string line) {
    constexpr std::string_view k_done = "Successfully built ";
    if (line.starts_with(k_done) && image_.empty()) image_ = line.substr(k_done.size());
    if (line.empty()) return;
    kept_.push_back(line);
    if (kept_.size() > k_kept_lines) kept_.pop_front();
    fresh_.push_back(std::move(line));
  }

  PullProgress pull_;
  Lines lines_;
  std::deque<std::string> kept_;
  std::vector<std::string> fresh_;
  std::string image_, error_;
};

std::string build_query(const BuildOptions& options) {
  Query query;
  query.add("version", "1").add("dockerfile", options.dockerfile).add("rm", "1").add("forcerm", "1");
  query.add_if(options.no_cache, "nocache").add_if(options.pull, "pull");
  for (const auto& tag : options.tags) query.add("t", tag);
  for (const auto& host : options.extra_hosts) query.add("extrahosts", host);
  if (!options.target.empty()) query.add("target", options.target);
  if (!options.network.empty()) query.add("networkmode", options.network);
  if (!options.platform.empty()) query.add("platform", options.platform);
  const auto dump = [](const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
  };
  if (!options.cache_from.empty()) query.add("cachefrom", dump(options.cache_from));
  if (!options.labels.empty()) query.add("labels", dump(options.labels));
  if (!options.args.empty()) {
    auto args = json::object();
    for (const auto& [name, value] : options.args) args[name] = value ? json(*value) : json();
    query.add("buildargs", dump(args));
  }
  return query.str();
}

}  // namespace

awaitable<std::optional<ImageDetails>> Engine::inspect_image(std::string reference) {
  Request request{.what = "cannot inspect image " + reference,
                  .path = "/images/" + segment(reference) + "/json"};
  const auto found = co_await http_->find_json(std::move(request));
  if (!found) co_return std::nullopt;
  co_return decode_image(*found);
}

namespace {

// The lines of a pull or push as they come; throws what the engine says at its end.
awaitable<void> follow_transfer(Http& http, Request request, LineSink progress) {
  const auto what = request.what;
  const auto body = co_await http.open(std::move(request));
  PullProgress shown;
  std::string error;
  auto each = [&](std::string text) -> awaitable<void> {
    const auto message = parse_message(text);
    if (!message) co_return;
    if (!message->error.empty()) error = message->error;
    auto line = shown.add(*message);
    if (line && progress) co_await progress(std::move(*line));
  };
  co_await hand_on_lines(*body, each);
  if (!error.empty()) throw Error(ErrorKind::engine, what + ": " + error);
}

}  // namespace

awaitable<void> Engine::pull_image(std::string reference, std::string platform, std::string auth,
                                   LineSink progress) {
  const auto [repository, tag] = split_reference(reference);
  Query query;
  query.add("fromImage", repository).add("tag", tag);
  if (!platform.empty()) query.add("platform", platform);
  Request request{.what = "cannot pull image " + reference,
                  .method = "POST",
                  .path = "/images/create" + query.str(),
                  .limit = std::nullopt,
                  .registry_auth = std::move(auth)};
  co_await follow_transfer(*http_, std::move(request), std::move(progress));
}

awaitable<void> Engine::push_image(std::string reference, std::string auth, LineSink progress) {
  const auto [repository, tag] = split_reference(reference);
  Query query;
  query.add("tag", tag);
  Request request{.what = "cannot push image " + reference,
                  .method = "POST",
                  .path = "/images/" + segment(repository) + "/push" + query.str(),
                  .limit = std::nullopt,
                  .registry_auth = std::move(auth)};
  co_await follow_transfer(*http_, std::move(request), std::move(progress));
}

awaitable<std::string> Engine::build_image(BodySource context, BuildOptions options, LineSink output) {
  const auto what =
      "cannot build image " + (options.tags.empty() ? options.dockerfile : options.tags.front());
  Request request{.what = what,
                  .method = "POST",
                  .path = "/build" + build_query(options),
                  .content_type = "application/x-tar",
                  .limit = std::nullopt};
  const auto body = co_await http_->open(std::move(request), std::move(context));
  BuildLog log;
  auto each = [&](std::string text) -> awaitable<void> {
    const auto message = parse_message(text);
    if (!message) co_return;
    log.add(*message);
    for (auto& line : log.take())
      if (output) co_await output(std::move(line));
  };
  co_await hand_on_lines(*body, each);
  log.close();
  for (auto& line : log.take())
    if (output) co_await output(std::move(line));
  auto id = log.image(what);
  constexpr std::string_view k_digest = "sha256:";
  if (id.starts_with(k_digest)) co_return id;
  // Podman, and Docker with --squash, tell a short id in the last line only.
  const auto image = co_await inspect_image(id);
  if (!image)
    throw Error(ErrorKind::engine, what + ": the engine does not know the image " + id + " it built");
  co_return image->id;
}

awaitable<bool> Engine::has_containerd_store() {
  Request request{.what = "cannot ask the engine for its settings", .path = "/info"};
  const auto info = co_await http_->call_json(std::move(request));
  for (const auto& pair : field(info, "DriverStatus"))
    if (pair.is_array() && pair.size() == 2 && pair[0] == "driver-type")
      co_return pair[1] == "io.containerd.snapshotter.v1";
  co_return false;
}

awaitable<std::string> Engine::registry_digest(std::string reference, std::string auth) {
  Request request{.what = "cannot find the digest of image " + reference,
                  .path = "/distribution/" + reference + "/json",
                  .limit = k_slow_limit,
                  .registry_auth = std::move(auth)};
  const auto what = request.what;
  const auto answer = co_await http_->call_json(std::move(request));
  auto digest = text(field(answer, "Descriptor"), "digest");
  if (digest.empty()) throw Error(ErrorKind::engine, what + ": the engine tells none");
  co_return digest;
}

awaitable<void> Engine::tag_image(std::string id, std::string repository, std::string tag) {
  Query query;
  query.add("repo", repository).add("tag", tag);
  Request request{.what = "cannot tag image " + id + " as " + repository + ":" + tag,
                  .method = "POST",
                  .path = "/images/" + segment(id) + "/tag" + query.str()};
  co_await http_->call(std::move(request));
}

awaitable<void> Engine::remove_image(std::string reference) {
  Request request{.what = "cannot remove image " + reference,
                  .method = "DELETE",
                  .path = "/images/" + segment(reference),
                  .limit = k_slow_limit,
                  .accepted = k_not_found};
  co_await http_->call(std::move(request));
}

awaitable<std::vector<ImageSummary>> Engine::list_images(Filters filters) {
  Query query;
  query.filters(filters);
  Request request{.what = "cannot list images", .path = "/images/json" + query.str()};
  const auto list = co_await http_->call_json(std::move(request));
  std::vector<ImageSummary> result;
  for (const auto& image : list) result.push_back(decode_image_summary(image));
  co_return result;
}

}  // namespace stackd::docker
