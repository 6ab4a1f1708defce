#include "daemon/compose/paths.hpp"

#include <array>

#include "daemon/compose/short_forms.hpp"

namespace stackd::compose {

namespace {

namespace fs = std::filesystem;

class PathFixer {
public:
  PathFixer(const fs::path& directory, const FileVariables& variables)
      : directory_(directory), variables_(variables) {}

  void service(Value& service) const {
    if (Value* build = service.find("build")) {
      context(build->is_mapping() ? build->find("context") : build);
      if (build->is_mapping()) {
        pairs(build->find("additional_contexts"), [&](Value& item) { context(&item); });
        pairs(build->find("ssh"), [&](Value& item) { path(&item); });
      }
    }
    if (Value* develop = service.find("develop"); develop && develop->is_mapping())
      each(develop->find("watch"),
           [&](Value& item) { path(item.is_mapping() ? item.find("path") : nullptr); });
    each(service.find("env_file"), [&](Value& item) { path(item.is_mapping() ? item.find("path") : &item); });
    each(service.find("label_file"), [&](Value& item) { path(&item); });
    each(service.find("volumes"), [&](Value& item) { volume(item); });
    if (Value* extends = service.find("extends"); extends && extends->is_mapping())
      path(extends->find("file"));
  }

  void file_sources(Value* sources) const {
    if (!sources) return;
    for (Entry& entry : sources->entries) path(entry.value.is_mapping() ? entry.value.find("file") : nullptr);
  }

  // Of a local volume that is a bind: where it lies.
  void devices(Value* volumes) const {
    if (!volumes) return;
    for (Entry& entry : volumes->entries) {
      const Value* driver = entry.value.is_mapping() ? entry.value.find("driver") : nullptr;
      Value* options = entry.value.is_mapping() ? entry.value.find("driver_opts") : nullptr;
      if (!driver || driver->text != "local" || !options || !options->is_mapping()) continue;
      const Value* how = options->find("o");
      if (how && how->text == "bind") path(options->find("device"));
    }
  }

private:
  void path(Value* value) const {
    if (value && value->is_scalar() && !value->text.empty()) {
      value->text = absolute_path(value->text, directory_, variables_);
    }
  }

  void context(Value* value) const {
    if (value && value->is_scalar() && !is_remote_context(value->text)) path(value);
  }

  template <class Act>
  static void each(Value* list, Act act) {
    if (!list) return;
    if (!list->is_sequence()) {
      act(*list);
      return;
    }
    for (Value& item : list->items) act(item);
  }

  // The values of a mapping, or of a list of K=V.
  template <class Act>
  static void pairs(Value* value, Act act) {
    if (!value) return;
    for (Entry& entry : value->entries) act(entry.value);
    for (Value& item : value->items) {
      const auto equals = item.text.find('=');
      if (!item.is_scalar() || equals == std::string::npos) continue;
      Value one = item;
      one.text = item.text.substr(equals + 1);
      act(one);
      item.text = item.text.substr(0, equals + 1) + one.text;
    }
  }

  void volume(Value& item) const {
    if (item.is_mapping()) {
      const Value* type = item.find("type");
      if (type && type->text == "bind") path(item.find("source"));
      return;
    }
    auto mount = split_short_mount(item.text);
    if (!mount || !mount->is_path()) return;
    item.text = absolute_path(mount->source, directory_, variables_) + item.text.substr(mount->source.size());
  }

  const fs::path& directory_;
  const FileVariables& variables_;
};

// A build without a context has its file's directory, which is this one's only while the file stands alone.
void fill_context(Value& service) {
  Value* build = service.find("build");
  if (!build || !build->is_mapping() || build->find("context")) return;
  Value here;
  here.kind = Value::Kind::scalar;
  here.text = ".";
  here.place = build->place;
  build->entries.push_back({"context", here.place, here});
}

}  // namespace

std::string clean_path(const std::string& path) {
  std::string text = fs::path(path).lexically_normal().string();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  // Two slashes at the beginning are a root of its own kind for fs::path.
  while (text.starts_with("//")) text.erase(0, 1);
  return text;
}

std::string absolute_path(const std::string& path, const fs::path& directory,
                          const FileVariables& variables) {
  if (path.starts_with('/') || is_windows_path(path)) return path;
  if (path.starts_with('~')) {
    const auto home = variables.find("HOME");
    if (home != variables.end() && !home->second.empty())
      return clean_path(home->second + "/" + path.substr(1));
  }
  return clean_path((directory / path).string());
}

bool is_remote_context(const std::string& context) {
  if (context.find("://") != std::string::npos) return true;
  static constexpr std::array<std::string_view, 3> k_prefixes{"service:", "github.com/", "git@"};
  for (const std::string_view prefix : k_prefixes)
    if (context.starts_with(prefix)) return true;
  return false;
}

void absolute_service_paths(Value& service, const fs::path& directory, const FileVariables& variables) {
  PathFixer(directory, variables).service(service);
}

void absolute_document_paths(Value& document, const fs::path& directory, const FileVariables& variables) {
  const PathFixer fixer(directory, variables);
  if (Value* services = document.find("services")) {
    for (Entry& entry : services->entries) {
      fill_context(entry.value);
      fixer.service(entry.value);
    }
  }
  fixer.file_sources(document.find("secrets"));
  fixer.file_sources(document.find("configs"));
  fixer.devices(document.find("volumes"));
}

}  // namespace stackd::compose
