#include "daemon/steps/common/secret_files.hpp"

#include <map>

#include "daemon/docker/context.hpp"
#include "daemon/util/error.hpp"

namespace stackd::steps {
namespace {

void add(std::map<std::string, docker::TarFile>& files, const std::vector<model::FileGrant>& grants,
         const std::map<std::string, model::FileSource>& sources, const model::Facts& facts,
         const std::string& what) {
  for (const auto& grant : grants) {
    const auto found = sources.find(grant.source);
    if (found == sources.end() || !found->second.file.empty()) continue;  // a file is bind-mounted
    const auto& source = found->second;
    docker::TarFile file{source.content, 0444};
    if (!source.environment.empty()) {
      const auto variable = facts.caller.find(source.environment);
      if (variable == facts.caller.end())
        throw util::Error(util::ErrorKind::failed, "cannot make " + what + " '" + grant.source +
                                                       "': variable " + source.environment + " is not set");
      file.text = variable->second;
    }
    if (!grant.mode.empty()) file.mode = static_cast<unsigned>(std::strtoul(grant.mode.c_str(), nullptr, 8));
    if (!grant.uid.empty()) file.uid = std::atoi(grant.uid.c_str());
    if (!grant.gid.empty()) file.gid = std::atoi(grant.gid.c_str());
    files[grant.target.front() == '/' ? grant.target.substr(1) : grant.target] = file;
  }
}

}  // namespace

std::string secret_files(const model::Spec& spec, const model::Facts& facts, const model::Service& service) {
  std::map<std::string, docker::TarFile> files;
  add(files, service.container->secrets, spec.secrets, facts, "secret");
  add(files, service.container->configs, spec.configs, facts, "config");
  return files.empty() ? std::string() : docker::make_tar(files);
}

}  // namespace stackd::steps
