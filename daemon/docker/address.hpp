// Where an engine listens, as DOCKER_HOST writes it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace stackd::docker {

struct Address {
  std::string text;        // as it is shown: "unix:///var/run/docker.sock"
  std::string path;        // of a Unix socket; empty for tcp
  std::string host, port;  // of tcp; the host without the brackets of an IPv6 address
};

// "" is unix:///var/run/docker.sock, a tcp address without a port has 2375. Throws Error(invalid_request) for
// anything but unix://<absolute path> and tcp://<host>[:<port>].
Address parse_address(std::string_view host);

}  // namespace stackd::docker
