// Where a stack's files are (design.md, "Hook logs" and "Daemon").
#pragma once

#include <filesystem>
#include <string>

#include "daemon/model/spec.hpp"

namespace stackd::model {

struct Paths {
  std::filesystem::path home;

  std::filesystem::path stack(const std::string& id) const { return home / "stacks" / id; }
  std::filesystem::path runs(const std::string& id) const { return stack(id) / "runs"; }
  std::filesystem::path run(const std::string& id, const std::string& run) const { return runs(id) / run; }
  std::filesystem::path service_log(const std::string& id, const std::string& service) const {
    return stack(id) / "logs" / (service + ".log");
  }
  // "<phase>-<idx>.log" of a stack's phase, "<service>.<phase>-<idx>.log" of a service's.
  std::filesystem::path hook_log(const std::string& id, const std::string& service, const std::string& phase,
                                 int index) const {
    return stack(id) / "hooks" /
           ((service.empty() ? "" : service + ".") + phase + "-" + std::to_string(index) + ".log");
  }
};

}  // namespace stackd::model
