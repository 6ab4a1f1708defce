// Session: what the builder may ask us for while it builds, and our answers: files of local contexts, logins
// to registries, secrets, an ssh agent. We are the server, on a connection that we have opened.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "daemon/dotdocker/config_file.hpp"
#include "daemon/images/build_request.hpp"
#include "daemon/images/builder/grpc.hpp"
#include "daemon/images/builder/ssh_keys.hpp"

namespace stackd::builder {

// What a build may ask for signatures under one name.
struct SshSource {
  std::string socket;  // of an agent
  SshKeys keys;        // or these
};

class Session {
public:
  // Throws what upgrade() throws; util::Error for an ssh key that cannot be used. `lost` is called when the
  // engine ends it.
  Session(Loop& loop, const images::BuildRequest& request, const dotdocker::Environment& caller,
          Connection::Closed lost);
  const std::string& id() const { return id_; }

private:
  std::unique_ptr<Handler> accept(Stream& stream, const std::string& path);
  std::unique_ptr<Handler> files(Stream& stream);
  const SshSource* ssh_of(const std::string& id) const;
  Loop& loop_;
  const images::BuildRequest& request_;
  const dotdocker::Environment& caller_;
  std::string id_;
  std::map<std::string, SshSource> ssh_;
  std::unique_ptr<Connection> connection_;
};

// Where the files of a build are, so that the builder may find what it kept of an earlier one of the same
// place.
std::string shared_key(const images::BuildRequest& request);

}  // namespace stackd::builder
