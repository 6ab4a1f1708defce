// A `build` of a service as BuildKit is told: the attributes of its Dockerfile frontend, what it may ask us
// for. Pure.
#pragma once

#include <string>
#include <vector>

#include "daemon/images/build_request.hpp"
#include "daemon/model/stack.hpp"

namespace stackd::translate {

struct BuildWish {
  std::string image;  // reference
  bool no_cache = false, pull = false;
  bool all_platforms = false;                    // of the file's; else the one that is to run
  std::string platform;                          // the engine's own
  std::map<std::string, std::string> args;       // over the file's
  std::map<std::string, std::string> ssh;        // over the file's, as model::Build has it
  std::map<std::string, std::string> more_args;  // proxies of the caller's config.json; the file's own win
};

// Values of secrets that are in no file go into `environment`, under names of their own.
images::BuildRequest build_request(const model::Stack& stack, const model::Service& service,
                                   const BuildWish& wish, std::map<std::string, std::string>& environment);

// Arguments as the file gives them, its references resolved; a bare name takes the caller's value.
std::map<std::string, std::string> build_args(const model::Stack& stack, const model::Build& build);
std::map<std::string, std::string> build_labels(const model::Stack& stack, const model::Service& service);

// What of a `build` an engine of this API cannot do: `refused` would make another image, `ignored` the same.
struct BuildLimits {
  std::vector<std::string> refused, ignored;
};
BuildLimits build_limits(const model::Build& build, const std::string& api);
// What only an engine with containerd's image store can do; docker's own client refuses the same.
std::vector<std::string> containerd_keys(const model::Build& build, bool all_platforms);
// What only BuildKit can do; empty when the classic builder will do.
std::vector<std::string> buildkit_keys(const model::Build& build);

// What is not on this machine: an address of a repository or an archive.
bool is_remote(const std::string& place);
// Of the file, and those that `network: host` and `privileged` need.
std::vector<std::string> entitlements_of(const model::Build& build);
// "type=provenance,mode=max", as bake and buildx have them.
std::vector<std::string> attestations_of(const model::Build& build);

// "busybox" -> "docker.io/library/busybox:latest"
std::string full_name(const std::string& reference);

}  // namespace stackd::translate
