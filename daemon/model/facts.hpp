// Facts: what only an up can know and the Spec therefore leaves open: host ports, output of env_from,
// captured values. Stored with the stack; with the Spec they give the same environment on the way up and on
// the way down.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "daemon/model/spec.hpp"

namespace stackd::model {

// What the disk said when somebody last looked (world/seen.hpp). Not stored: the disk may say something else
// by the next look.
struct Seen {
  std::map<std::string, std::string> canonical;  // directory as it is asked for -> without symbolic links
  std::set<std::string> node_packages;           // canonical directories that have a package.json
  std::vector<std::string> secret_texts;         // what the files of secrets hold

  bool operator==(const Seen&) const = default;
};

struct Facts {
  std::string stack_id;
  // service -> port key -> host port. Replica n > 1 of a scaled service has keys "<key>@<n>".
  std::map<std::string, std::map<std::string, int>> ports;
  std::map<std::string, std::map<std::string, std::string>> captured;  // service -> key -> value
  // Output of env_from by layer: "stack", "profile", "service:<name>", "group:<name>".
  std::map<std::string, Environment> env_from;
  std::map<std::string, std::string> caller;  // the caller's environment at the last up
  std::optional<int> umask;                   // and its umask, for what runs on the host
  std::string lich_id;                        // worktree.id (L7.3)
  Seen seen;
};

nlohmann::json to_json(const Facts& facts);
Facts facts_from_json(const nlohmann::json& value);

}  // namespace stackd::model
