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

struct ImageListArgs {
  std::vector<std::string> services;
  std::string format;
  bool quiet = false;
};
int run_image_list(Context& context, const ImageListArgs& args);

struct StatsArgs {
  std::vector<std::string> services;
  std::string format;
  bool all = false, no_stream = false, whole = false;
};
int run_stats(Context& context, const StatsArgs& args);

// A template of Go's with fields such as {{.Name}}, filled; nothing else of those.
std::string filled(const std::string& format, const nlohmann::json& values);

struct CpArgs {
  std::string from, to;  // SERVICE:PATH, a path of this machine, or - for a tar
  bool archive = false, follow_link = false, all = false, no_wait = false;
  int index = 0;
};
int run_cp(Context& context, const CpArgs& args);

// "3 seconds ago", as Docker says it; "" for no time.
std::string ago_text(const std::string& at);
// Throws ClientError(5) with the nearest name when the stack has no such service.
const proto::Service& check_service(const proto::Stack& stack, const std::string& name);

}  // namespace stackd::client
