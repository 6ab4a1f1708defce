#include "daemon/stackfile/load.hpp"
#include "daemon/stackfile/vocabularies.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "daemon/compose/canonical.hpp"
#include "daemon/compose/forms.hpp"
#include "daemon/resolve/identity.hpp"
#include "daemon/resolve/references.hpp"
#include "daemon/stackfile/choice.hpp"
#include "daemon/stackfile/decode/decode.hpp"
#include "daemon/stackfile/model_json.hpp"
#include "daemon/stackfile/sources/compose_tree.hpp"
#include "daemon/stackfile/variables.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"
#include "daemon/yaml/typed.hpp"

namespace stackd::stackfile {

namespace fs = std::filesystem;

namespace {

using nlohmann::json;
using util::Error;
using util::ErrorKind;

bool has_any(const Value& document, std::initializer_list<std::string_view> keys) {
  return std::any_of(keys.begin(), keys.end(),
                     [&](std::string_view key) { return document.find(key) != nullptr; });
}

std::string format_by_content(const Value& document) {
  const Value* version = document.find("version");
  if (version && version->text == "1") return "lich";
  if (has_any(document,
              {"lifecycle", "owned", "env", "env_files", "env_from", "env_groups", "commands", "profiles"})) {
    return document.find("dependencies") ? "moat" : "stackd";
  }
  if (has_any(document, {"services", "include", "networks", "volumes"})) return "compose";
  return has_any(document, {"dependencies", "agent", "hooks", "grants", "command"}) ? "moat" : "compose";
}

// C9.1. An explicit name is taken as it is or refused.
std::string explicit_name(const std::string& name, const std::string& from) {
  const auto is_start = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const bool fits = !name.empty() && is_start(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
    return is_start(c) || c == '_' || c == '-';
  });
  if (fits) return name;
  const std::string proposal = resolve::project_name_from(name);
  throw Error(ErrorKind::invalid_file,
              "'" + name + "' (" + from +
                  ") is not a project name: it must begin with a lower-case letter or a digit and "
                  "hold only those, '_' and '-'" +
                  (proposal.empty() ? "" : "; '" + proposal + "' would do"));
}

// One load; its steps share the problems.
class Loader {
public:
  explicit Loader(const LoadRequest& request) : request_(request), documents_(request.directory) {
    documents_.hold_input(request.input);
    documents_.hold_buffers(request.buffers);
  }

  Spec load(FileVariables* seen) {
    const Choice choice(request_, problems_);
    const auto& files = choice.files;
    directory_ = choice.directory();
    spec_.directory = directory_.string();
    spec_.files = to_strings(files);
    spec_.warnings = choice.warnings;
    variables_ = choice.variables;
    spec_.format = format_of(files);
    spec_.name = project_name(files);
    variables_["COMPOSE_PROJECT_NAME"] = spec_.name;  // as Compose sets it
    const bool merged = spec_.format == "compose" || spec_.format == "stackd";
    Value document = merged ? compose_document(files) : documents_.read(files.front());
    problems_.check();
    decode(document);
    if (spec_.format == "compose") compose::check_forms(document, names_of_services(), problems_);
    if (merged && !request_.undone.consistency) require_services(document);
    problems_.check();
    finish();
    if (spec_.format == "compose") keep_model(document);
    if (seen) *seen = std::move(variables_);
    return std::move(spec_);
  }

  AsWritten as_written() {
    const Choice choice(request_, problems_);
    directory_ = choice.directory();
    variables_ = choice.variables;
    spec_.format = format_of(choice.files);
    const bool merged = spec_.format == "compose" || spec_.format == "stackd";
    interpolates_ = false;
    AsWritten out{project_name(choice.files),
                  directory_.string(),
                  spec_.format,
                  to_strings(choice.files),
                  choice.warnings,
                  "",
                  {}};
    const Value document = merged ? compose_document(choice.files) : documents_.read(choice.files.front());
    problems_.check();
    out.variables = variables_in(document);
    std::erase_if(variables_, [](const auto& variable) { return variable.first != "HOME"; });
    const json model = merged ? compose::written_model(document, model_request(out.name)) : json_of(document);
    out.model = model.dump(-1, ' ', false, json::error_handler_t::replace);
    return out;
  }

  Sources sources() {
    const Choice choice(request_, problems_);
    const auto& files = choice.files;
    Sources found{choice.directory().string(), "", "", to_strings(files)};
    directory_ = choice.directory();
    variables_ = choice.variables;
    try {
      found.format = spec_.format = format_of(files);
      spec_.directory = directory_.string();
      found.name = project_name(files);
    } catch (const Error&) {
      if (found.format.empty()) found.format = format_by_name(files.front());  // its content cannot be read
    }
    return found;
  }

private:
  std::string format_of(const std::vector<fs::path>& files) {
    std::string format;
    for (const fs::path& file : files) {
      std::string own = format_by_name(file);
      if (own.empty()) own = format_by_content(documents_.all(file).front());
      const bool both_compose =
          (own == "stackd" || own == "compose") && (format == "stackd" || format == "compose");
      if (!format.empty() && own != format && !both_compose) {
        throw Error(ErrorKind::invalid_file,
                    "cannot merge a " + format + " file with " + file.string() + ", a " + own + " file");
      }
      if (format.empty() || own == "stackd") format = own;
    }
    if (files.size() > 1 && (format == "lich" || format == "moat")) {
      throw Error(ErrorKind::invalid_file,
                  "cannot load several " + format + " files at once: give one with -f");
    }
    return format;
  }

  Value compose_document(const std::vector<fs::path>& files) {
    TreeRequest tree{files,
                     directory_,
                     request_.directory,
                     variables_,
                     spec_.format == "stackd",
                     documents_,
                     interpolates_,
                     !request_.undone.path_resolution};
    Value document = load_compose_tree(tree, problems_, spec_.warnings);
    if (spec_.format == "compose" && interpolates_) keep_extensions(document);
    return document;
  }

  std::set<std::string> names_of_services() const {
    std::set<std::string> names;
    for (const Service& service : spec_.services) names.insert(service.name);
    return names;
  }

  // Once everything that is wrong has been said: a misspelt key is the cause of this one.
  void require_services(const Value& document) {
    const Value* services = document.find("services");
    const Value* own = spec_.format == "compose" ? document.find("x-stackd") : &document;
    const bool any = (services && !services->is_null()) || (own && own->find("owned"));
    const bool shows_something = !request_.to_run && !document.entries.empty();
    if (!any && !shows_something && !problems_.any())
      problems_.add(document.place, "the file has no 'services'");
  }

  compose::ModelRequest model_request(const std::string& name) const {
    return {name, directory_, variables_, !request_.undone.normalization, !request_.undone.path_resolution};
  }

  // What env files and label files say is in the Spec.
  void keep_model(const Value& document) {
    json model = compose::canonical_model(document, model_request(spec_.name));
    for (const Service& service : spec_.services) {
      if (!model["services"].contains(service.name)) continue;
      json& shown = model["services"][service.name];
      Environment environment = service.environment.file_env;
      for (const auto& [key, value] : service.environment.env) environment.insert_or_assign(key, value);
      if (!environment.empty()) shown["environment"] = stackfile::variables(environment);
      if (service.container && !service.container->labels.empty())
        shown["labels"] = service.container->labels;
    }
    for (const auto& [place, text] : spec_.extensions)
      if (place.find('/', 1) == std::string::npos) model[place.substr(1)] = json::parse(text);
    spec_.canonical = model.dump(-1, ' ', false, json::error_handler_t::replace);
  }

  // Compose interpolates them like all else. What is wrong in them is nobody's mistake: nothing reads them.
  void keep_extensions(const Value& holder, const json::json_pointer& place = json::json_pointer()) {
    Problems ignored;
    std::vector<std::string> warnings;
    for (const Entry& entry : holder.entries) {
      if (entry.key == "x-stackd") continue;
      if (!entry.key.starts_with("x-")) {
        keep_extensions(entry.value, place / entry.key);
        continue;
      }
      Value value = entry.value;
      Interpolator(variable_lookup(variables_), ignored, warnings).apply(value);
      const auto text = json_of(value).dump(-1, ' ', false, json::error_handler_t::replace);
      spec_.extensions[(place / entry.key).to_string()] = text;
    }
  }

  // Before the files are interpolated, since they may use it. The last file's name counts.
  std::string project_name(const std::vector<fs::path>& files) {
    if (!request_.project_name.empty()) return explicit_name(request_.project_name, "-p");
    const auto variable = variables_.find("COMPOSE_PROJECT_NAME");
    if (variable != variables_.end() && !variable->second.empty()) {
      return explicit_name(variable->second, "COMPOSE_PROJECT_NAME");
    }
    Value name;
    for (const fs::path& file : files) {
      for (const Value& document : documents_.all(file)) {
        const Value* found = document.find("name");
        if (found && found->is_scalar() && !found->text.empty()) name = *found;
      }
    }
    const bool as_it_is = spec_.format == "compose" || spec_.format == "stackd";
    if (!name.is_null() && as_it_is && interpolates_) {
      std::vector<std::string> warnings;  // the whole file's come later
      Interpolator(variable_lookup(variables_), problems_, warnings).apply(name);
      problems_.check();
    }
    const std::string derived =
        resolve::project_name_from(name.is_null() ? directory_.filename().string() : name.text);
    if (!derived.empty()) return renamed(derived);
    throw Error(ErrorKind::invalid_file, "cannot make a project name of the directory " +
                                             directory_.string() +
                                             ": it has no letter or digit; give one with -p");
  }

  std::string renamed(const std::string& name) const {
    return request_.rename ? request_.rename(name, spec_.directory) : name;
  }

  void decode(const Value& document) {
    DecodeContext context{request_, spec_.directory, spec_.name, problems_, variables_};
    if (spec_.format == "lich") {
      decode_lich(document, context, spec_);
    } else if (spec_.format == "moat") {
      decode_moat(document, context, spec_);
    } else {
      Extension extension;
      extension.top = [&](Reader& top, Spec& spec) { decode_stackd_top(top, context, spec); };
      extension.service = [&](Reader& reader, Spec& spec, Service& service) {
        decode_stackd_service(reader, context, spec, service);
      };
      decode_compose(document, context, extension, spec_);
    }
    const Value* holder = spec_.format == "compose" ? document.find("x-stackd") : &document;
    const Value* profiles = holder ? holder->find("profiles") : nullptr;
    if (spec_.format == "lich" || spec_.format == "stackd") {
      Value none;
      none.kind = Value::Kind::mapping;
      none.place = document.place;
      apply_profiles(profiles && !profiles->is_null() ? *profiles : none, context, spec_);
    } else if (profiles && !profiles->is_null() && spec_.format == "compose") {
      apply_profiles(*profiles, context, spec_);
    }
    drop_missing_dependencies();
    if (!request_.undone.consistency) check_dependencies(spec_, document, context);
    problems_.check();
    spec_.written.merge(context.in_env_files);
    note_references(document, spec_);
    if (!request_.undone.consistency) check_spec(spec_, document, context);
  }

  // C6.6: a dependency that is not required and not there is left out, and that is said.
  void drop_missing_dependencies() {
    const auto& off = spec_.disabled;
    for (Service& service : spec_.services) {
      std::erase_if(service.depends_on, [&](const auto& entry) {
        const bool known =
            spec_.find(entry.first) || std::find(off.begin(), off.end(), entry.first) != off.end();
        if (known || entry.second.required) return false;
        spec_.warnings.push_back("service '" + service.name + "' does not wait for '" + entry.first +
                                 "', which is no service; it is not required");
        return true;
      });
    }
  }

  // Which services were asked for is the up's matter; that there are such services is this one's.
  void finish() {
    std::vector<std::string> names;
    for (const Service& service : spec_.services) names.push_back(service.name);
    for (const std::string& wanted : request_.services) {
      if (spec_.find(wanted)) continue;
      const auto& off = spec_.disabled;
      const bool is_off = std::find(off.begin(), off.end(), wanted) != off.end();
      const auto near = util::nearest(wanted, names);
      throw Error(ErrorKind::not_found,
                  is_off ? "cannot find service '" + wanted + "': the chosen profile leaves it out"
                         : "cannot find service '" + wanted + "' in " + spec_.files.front() +
                               (near ? ", did you mean '" + *near + "'?" : ""));
    }
  }

  const LoadRequest& request_;
  Documents documents_;
  fs::path directory_;
  Problems problems_;
  FileVariables variables_;
  bool interpolates_ = true;
  Spec spec_;
};

}  // namespace

Sources find_sources(const LoadRequest& request) {
  return Loader(request).sources();
}

AsWritten load_as_written(const LoadRequest& request) {
  return Loader(request).as_written();
}

Spec load(const LoadRequest& request, std::map<std::string, std::string>* seen) {
  return Loader(request).load(seen);
}

}  // namespace stackd::stackfile
