// Commands for containers as they are; the names and options are Compose's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/context.hpp"

namespace stackd::client {

struct PsArgs {
  std::vector<std::string> services, status;
  std::string format;  // table, json, or with {{.Name}} and others
  bool all = false, quiet = false, list_services = false, whole = false, orphans = true;
};
int run_ps(Context& context, const PsArgs& args);

struct ContainersArgs {
  std::vector<std::string> services;
  std::string signal;                                 // kill
  bool force = false, stop = false, volumes = false;  // rm
  bool no_wait = false;
};
// `verb`: kill, pause, unpause, rm.
int run_containers(Context& context, const std::string& verb, const ContainersArgs& args);

struct PortArgs {
  std::string service, port, protocol = "tcp";
  int index = 0;
};
int run_port(Context& context, const PortArgs& args);

int run_scale(Context& context, const std::vector<std::string>& counts, bool deps);

struct VolumesArgs {
  std::string format;
  bool quiet = false;
};
int run_volumes(Context& context, const VolumesArgs& args);

// "3 seconds ago", as Docker says it; "" for no time.
std::string time_since(const std::string& at);
// Throws ClientError(5) with the nearest name when the stack has no such service.
const proto::Service& check_service(const proto::Stack& stack, const std::string& name);

}  // namespace stackd::client
