// stackctl cp: files into a service's container and out of one, by docker cp's rules for paths.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "client/commands/containers.hpp"
#include "client/commands/service_words.hpp"
#include "client/error.hpp"
#include "client/text.hpp"
#include "client/tree.hpp"

namespace stackd::client {
namespace {

namespace fs = std::filesystem;

struct Place {
  std::string service;  // "" on this machine
  std::string path;
  // "dir/." is what is in it; "dir/" has to be a directory.
  bool contents() const { return path == "." || path.ends_with("/."); }
  bool directory() const { return contents() || path.ends_with("/"); }
};

[[noreturn]] void fail(const std::string& why) {
  throw ClientError(proto::k_operation_failed, why);
}

// As docker cp has it: what is absolute, or begins with a dot, is a path whatever colon is in it.
Place place_of(const std::string& word) {
  const auto colon = word.find(':');
  if (colon == std::string::npos || word[0] == '/' || word[0] == '.') return {"", word};
  return {word.substr(0, colon), word.substr(colon + 1)};
}

std::string clean(const std::string& path) {
  auto text = fs::path(path).lexically_normal().string();
  while (text.size() > 1 && text.ends_with("/")) text.pop_back();
  return text;
}
// Of a container: from its root.
std::string clean_there(const std::string& path) {
  return clean(path.starts_with("/") ? path : "/" + path);
}

std::string base_of(const std::string& path) {
  return fs::path(path).filename().string();
}
std::string parent_of(const std::string& path) {
  const auto parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

class Copy {
public:
  Copy(Context& context, const CpArgs& args) : context_(context), args_(args), stack_(context.stack()) {}

  void out(const Place& from, const std::string& to);
  void in(const std::string& from, const Place& to);

private:
  std::vector<std::string> containers_of(const std::string& service);
  std::string target(const std::string& what, const std::string& container, const std::string& path) const;
  std::optional<proto::PathStat> stat_of(const std::string& container, const std::string& path);
  void unpack(const std::string& container, const std::string& path, const std::string& directory,
              const std::string& name);
  void in_one(const std::string& container, const std::string& from, const std::string& to);
  void send(const std::string& container, const std::string& directory,
            const std::function<void(const Api::Piece&)>& write);

  Context& context_;
  const CpArgs& args_;
  proto::Stack stack_;
  bool no_wait_ = false;
};

// By their number; those that do not run too, as with Compose.
std::vector<std::string> Copy::containers_of(const std::string& service) {
  const auto& known = check_service(stack_, service);
  if (known.kind != "container")
    throw ClientError(
        proto::k_bad_usage,
        "service '" + service + "' has no containers: it runs on this host, and so do its files");
  const auto document = context_.api().get(target::stack(stack_.id) + "/containers");
  std::vector<std::string> names;
  for (const auto& row :
       nlohmann::json::parse(document).at("containers").get<std::vector<proto::ContainerRow>>())
    if (row.service == service && (!row.oneoff || args_.all) &&
        (args_.index == 0 || row.number == args_.index))
      names.push_back(row.name);
  if (names.empty())
    fail("service '" + service + "' has no container" +
         (args_.index ? " number " + std::to_string(args_.index) : ": `stackctl create` makes it"));
  return names;
}

std::string Copy::target(const std::string& what, const std::string& container,
                         const std::string& path) const {
  return target::stack(stack_.id) + "/" + what + "?container=" + percent_encode(container) +
         "&path=" + percent_encode(path);
}

std::optional<proto::PathStat> Copy::stat_of(const std::string& container, const std::string& path) {
  try {
    return nlohmann::json::parse(context_.api().get(target("path", container, path))).get<proto::PathStat>();
  } catch (const ApiError& error) {
    if (error.problem().code != "not-found") throw;
  }
  return std::nullopt;
}

// ---- out of a container

void Copy::unpack(const std::string& container, const std::string& path, const std::string& directory,
                  const std::string& name) {
  auto stream = context_.api().stream(target("archive", container, path), "application/x-tar");
  Unpacker unpacker(directory, name, args_.archive);
  std::string piece;
  while (stream.connection.read(piece, k_never) == Read::data) {
    unpacker.feed(piece);
    piece.clear();
  }
  unpacker.finish();
}

void Copy::out(const Place& from, const std::string& to) {
  const auto container = containers_of(from.service).front();
  auto path = clean_there(from.path);
  const auto base = base_of(path);
  auto there = stat_of(container, path);
  if (!there) fail("there is no " + path + " in container " + container);
  if (there->kind == "link" && (args_.follow_link || from.directory())) {
    path = clean_there(there->link_target);
    there = stat_of(container, path);
    if (!there) fail("the link " + from.path + " in container " + container + " leads nowhere");
  }
  if (to == "-") {
    auto stream = context_.api().stream(target("archive", container, path), "application/x-tar");
    std::string piece;
    while (stream.connection.read(piece, k_never) == Read::data) {
      context_.out(piece);
      piece.clear();
    }
    return;
  }
  const bool directory = there->kind == "directory";
  if (from.directory() && !directory) fail(from.path + " in container " + container + " is no directory");
  std::error_code none;
  const auto status = fs::status(to, none);
  if (fs::is_directory(status)) {
    const bool inside = directory && (from.contents() || base.empty());
    return unpack(container, path, to, inside ? "" : base);
  }
  if (fs::exists(status)) {
    if (directory) fail("cannot copy a directory to " + to + ", which is a file");
    if (Place{"", to}.directory()) fail("cannot copy to " + to + ": it is no directory");
    const auto real = fs::canonical(to, none).string();  // a link stays, and what it leads to is written
    return unpack(container, path, parent_of(real), base_of(real));
  }
  if (!directory && to.ends_with("/")) fail("cannot copy to " + to + ": there is no such directory");
  const auto wanted = clean(to);
  if (!fs::is_directory(parent_of(wanted), none))
    fail("cannot copy to " + to + ": there is no directory " + parent_of(wanted));
  unpack(container, path, parent_of(wanted), base_of(wanted));
}

// ---- into containers

void Copy::send(const std::string& container, const std::string& directory,
                const std::function<void(const Api::Piece&)>& write) {
  auto where = target("archive", container, directory);
  if (args_.archive) where += "&owners=1";
  if (no_wait_) where += "&no_wait=1";
  context_.api().upload(where, write);
}

struct Refused {};  // the daemon has answered before all was sent

void Copy::in_one(const std::string& container, const std::string& from, const std::string& to) {
  auto path = clean_there(to);
  auto there = stat_of(container, path);
  if (there && there->kind == "link") {
    path = clean_there(there->link_target);
    there = stat_of(container, path);
  }
  const bool is_directory = there && there->kind == "directory";
  if (from == "-") {
    if (!is_directory) fail("cannot unpack at " + to + " in container " + container + ": it is no directory");
    return send(container, path, [](const Api::Piece& sink) {
      std::string piece(k_copy_piece, '\0');
      for (;;) {
        const ssize_t got = ::read(0, piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail(std::string("cannot read standard input: ") + std::strerror(errno));
        if (got == 0 || !sink(std::string_view(piece).substr(0, static_cast<std::size_t>(got)))) return;
      }
    });
  }
  const Place source{"", from};
  std::error_code failed;
  auto local = clean(from);
  auto status = fs::symlink_status(local, failed);
  if (fs::is_symlink(status) && (args_.follow_link || source.directory())) {
    local = fs::canonical(local, failed).string();
    status = fs::status(local, failed);
  }
  if (failed || !fs::exists(status)) fail("there is no " + from);
  const bool directory = fs::is_directory(status);
  if (source.directory() && !directory) fail(from + " is no directory");
  if (directory && there && !is_directory) fail("cannot copy a directory to " + to + ", which is a file");
  if (!directory && !there && to.ends_with("/"))
    fail("cannot copy to " + to + " in container " + container + ": there is no such directory");
  auto name = base_of(clean(fs::absolute(from).string()));
  std::string where = path;
  if (is_directory && directory && source.contents()) {
    name.clear();
  } else if (!is_directory) {
    name = base_of(path);
    where = parent_of(path);
  }
  send(container, where, [&](const Api::Piece& sink) {
    try {
      pack(local, name, [&](std::string_view piece) {
        if (!sink(piece)) throw Refused{};
      });
    } catch (const Refused&) {
      // Its answer says why.
    }
  });
}

void Copy::in(const std::string& from, const Place& to) {
  const auto containers = containers_of(to.service);
  if (from == "-" && containers.size() > 1)
    throw ClientError(proto::k_bad_usage,
                      "service '" + to.service + "' has " + std::to_string(containers.size()) +
                          " containers, and standard input can be read once: --index says which");
  no_wait_ = !tell_of_wait(context_, stack_, args_.no_wait);
  for (const auto& container : containers) in_one(container, from, to.path);
}

}  // namespace

int run_cp(Context& context, const CpArgs& args) {
  const auto from = place_of(args.from), to = place_of(args.to);
  if (from.service.empty() == to.service.empty())
    throw ClientError(proto::k_bad_usage,
                      from.service.empty() ? "neither " + args.from + " nor " + args.to +
                                                 " is in a container: one of them has to be SERVICE:PATH"
                                           : "cannot copy between containers: one of the two has to be here");
  if (from.path.empty() || to.path.empty())
    throw ClientError(proto::k_bad_usage, "a path is missing: it is SERVICE:PATH");
  Copy copy(context, args);
  if (to.service.empty())
    copy.out(from, to.path);
  else
    copy.in(from.path, to);
  return proto::k_done;
}

}  // namespace stackd::client
