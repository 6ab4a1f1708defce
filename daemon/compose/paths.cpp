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
    }
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
    for (Entry& entry : services->entries) fixer.service(entry.value);
  }
  fixer.file_sources(document.find("secrets"));
  fixer.file_sources(document.find("configs"));
}

}  // namespace stackd::compose
