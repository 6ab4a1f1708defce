// The databases and caches that a moat.yaml can depend on: containers with credentials of their own, told to
// the main container in MOAT_* variables. Private to moat*.cpp.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "daemon/model/spec.hpp"

namespace stackd::stackfile {

using namespace model;

struct MoatKind;
// Null for a name that is none of them.
const MoatKind* moat_service(const std::string& name);

struct MoatSettings {  // `services.<name>` of the moat.yaml
  std::map<std::string, std::string> env;
  std::string image;
  std::int64_t memory = 0;  // bytes; 0 is no limit
  bool wait = true;
};

struct MoatService {
  Service service;
  std::map<std::string, std::string> variables;  // for the main container
  std::string password;
};
// The password stays the same for a directory on a machine, because the data of a volume remembers it.
MoatService make_moat_service(const MoatKind& kind, const std::string& version, const MoatSettings& settings,
                              const std::string& directory);

}  // namespace stackd::stackfile
