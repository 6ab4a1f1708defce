#include "daemon/stacks/lookup.hpp"

#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stacks {

using util::Error;
using util::ErrorKind;

namespace {

spec::LoadRequest load_request(const proto::UpRequest& request) {
  spec::LoadRequest load;
  load.directory = request.directory;
  load.files = request.files;
  load.project_name = request.project_name;
  load.profile = request.profile;
  load.services = request.services;
  load.environment = request.environment;
  return load;
}

}  // namespace

awaitable<spec::Spec> load_spec(Services& services, proto::UpRequest request) {
  if (request.directory.empty() || request.directory.front() != '/')
    throw Error(ErrorKind::invalid_request, "cannot bring up a stack: 'directory' must be an absolute path");
  auto wish = std::make_shared<spec::LoadRequest>(load_request(request));
  auto work = [wish](FileWorker&) { return spec::load(*wish); };
  auto spec = co_await services.files.run(work);
  co_return spec;
}

awaitable<spec::Sources> find_sources(Services& services, proto::UpRequest request) {
  auto wish = std::make_shared<spec::LoadRequest>(load_request(request));
  auto work = [wish](FileWorker&) { return spec::find_sources(*wish); };
  auto sources = co_await services.files.run(work);
  co_return sources;
}

awaitable<store::StackRow> find_stack(Services& services, std::string id_or_name) {
  const auto all = co_await services.journal.run([](store::Database& db) { return store::Stacks::all(db); });
  const store::StackRow* by_name = nullptr;
  std::vector<std::string> known;
  for (const auto& row : all) {
    if (row.id == id_or_name) co_return row;
    known.push_back(row.id);
    known.push_back(row.name);
    if (row.name != id_or_name) continue;
    if (by_name)
      throw Error(ErrorKind::invalid_request,
                  "more than one stack is called '" + id_or_name + "': say " + by_name->id + " or " + row.id);
    by_name = &row;
  }
  if (by_name) co_return *by_name;
  const auto near = util::nearest(id_or_name, known);
  throw Error(ErrorKind::not_found,
              "there is no stack '" + id_or_name + "'" + (near ? "; did you mean '" + *near + "'?" : ""));
}

void check_service(const Model& model, const std::string& name) {
  if (model.spec->find(name)) return;
  std::vector<std::string> known;
  for (const auto& service : model.spec->services) known.push_back(service.name);
  const auto near = util::nearest(name, known);
  throw Error(ErrorKind::not_found, "stack '" + model.id + "' has no service '" + name + "'" +
                                        (near ? "; did you mean '" + *near + "'?" : ""));
}

std::function<void(store::Database&)> set_last_operation(const std::string& stack,
                                                         const std::string& operation) {
  return [stack, operation](store::Database& db) {
    if (auto row = store::Stacks::get(db, stack)) {
      row->last_operation = operation;
      row->updated_at = util::now_ms();
      store::Stacks::put(db, *row);
    }
  };
}

}  // namespace stackd::stacks
