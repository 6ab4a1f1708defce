// What stackd-build is told: the daemon writes it, the program reads it. Data alone, for both.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace stackd::images {

struct BuildSecret {
  std::string id;
  std::string file, variable;  // where it is: one of the two
};
struct BuildAgent {  // of ssh
  std::string id;
  std::vector<std::string> paths;  // the socket of an agent, or files of keys
};

struct BuildRequest {
  std::vector<std::string> engines;                // addresses to try: "unix:/path", "tcp:<address> <port>"
  std::string api;                                 // version of the engine's API
  std::string image;                               // for messages
  std::vector<std::string> tags;                   // full names
  std::map<std::string, std::string> attributes;   // of the Dockerfile frontend
  std::map<std::string, std::string> directories;  // local name -> directory
  std::map<std::string, std::map<std::string, std::string>> texts;  // local name -> file -> what is in it
  std::vector<BuildSecret> secrets;
  std::vector<BuildAgent> agents;
  std::vector<std::string> entitlements;
  std::vector<std::map<std::string, std::string>> cache_from, cache_to;  // {"type", "ref", …}
  bool streams = false;  // its log tells stdout and stderr apart, for a program to read
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(BuildSecret, id, file, variable)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(BuildAgent, id, paths)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(BuildRequest, engines, api, image, tags, attributes, directories, texts,
                                   secrets, agents, entitlements, cache_from, cache_to, streams)

// The request goes by the environment, which only this user can read, in parts that a kernel takes:
// STACKD_BUILD_0, STACKD_BUILD_1, …
constexpr const char* k_request_variable = "STACKD_BUILD_";
constexpr std::size_t k_request_part = 100'000;

// On stderr before the reason of a failure, the last line of all; before it are those of what failed.
constexpr const char* k_reason = "ERROR: ";

// How it ends, beside 0.
enum BuildExit : int {
  k_build_failed = 1,
  k_build_unusable = 2,  // no request, or none that can be
  k_no_buildkit = 3,     // the engine has none
  k_engine_lost = 4,     // it does not answer, or broke off
};

}  // namespace stackd::images
