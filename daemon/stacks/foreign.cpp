// X37: a project that is up, and not by this daemon.
#include "daemon/stacks/beginning.hpp"
#include "daemon/translate/labels.hpp"
#include "daemon/util/error.hpp"

namespace stackd::stacks {
namespace {

namespace label = translate::label;
using translate::label_of;
using util::Error;
using util::ErrorKind;

Error of_another_directory(const std::string& project, const std::string& directory) {
  return Error(
      ErrorKind::foreign_project,
      "project '" + project + "' is that of " + directory +
          ", which Docker Compose has up; take that down, or give this stack a name of its own (-p NAME)");
}

Error not_adopted(const std::string& project) {
  return Error(
      ErrorKind::foreign_project,
      "Docker Compose has project '" + project +
          "' of this directory up; `stackctl up --adopt` takes it over, `docker compose down` takes it down");
}

}  // namespace

void check_foreign(const std::vector<docker::ContainerSummary>& containers, const model::Spec& spec,
                   bool adopt) {
  const auto &project = spec.name, &directory = spec.directory;
  std::set<std::string> own;
  for (const auto& service : spec.services)
    if (service.container) own.insert(service.name);
  for (const auto& container : containers) {
    if (!translate::is_of_compose(container)) continue;
    const auto where = label_of(container, label::k_working_dir);
    if (!where.empty() && where != directory) throw of_another_directory(project, where);
    // Of a service that the file does not have it is an orphan (C10.4).
    if (!adopt && !where.empty() && own.contains(label_of(container, label::k_service)))
      throw not_adopted(project);
  }
}

}  // namespace stackd::stacks
