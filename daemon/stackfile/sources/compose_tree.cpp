#include "daemon/stackfile/sources/compose_tree.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/text.hpp"
#include "daemon/util/user_file.hpp"

namespace stackd::stackfile {

namespace fs = std::filesystem;

namespace {

using util::Error;
using util::ErrorKind;

// stackd's own keys of a stackd.yaml: shell text and references, nothing of Compose's.
constexpr std::array k_own_top_keys{"lifecycle",  "owned",    "env",     "env_files", "env_from",
                                    "env_groups", "commands", "runtime", "profiles"};
constexpr std::array k_own_service_keys{"lifecycle", "hooks", "ready_when", "fail_when"};
constexpr std::size_t k_max_depth = 50;
constexpr std::array k_sections{"services", "networks", "volumes", "secrets", "configs"};

template <class Keys>
bool is_one_of(const Keys& keys, const std::string& key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

bool same(const Value& a, const Value& b) {
  if (a.kind != b.kind || a.text != b.text || a.items.size() != b.items.size() ||
      a.entries.size() != b.entries.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (!same(a.items[i], b.items[i])) return false;
  }
  return std::all_of(a.entries.begin(), a.entries.end(), [&](const Entry& entry) {
    const Value* other = b.find(entry.key);
    return other && same(entry.value, *other);
  });
}

// Loads the files of one directory; `include` makes another one of it.
class TreeLoader {
public:
  TreeLoader(const TreeRequest& request, std::vector<fs::path> including, Problems& problems,
             std::vector<std::string>& warnings)
      : request_(request),
        including_(std::move(including)),
        problems_(problems),
        warnings_(warnings),
        interpolator_(variable_lookup(request_.variables), problems, warnings) {}

  Value load() {
    Value document;
    for (const fs::path& file : request_.files) {
      // The documents of one file follow each other as files do.
      for (const Value& each : request_.documents.all(file)) {
        Value next = load_document(each, file);
        if (document.is_null()) {
          document = std::move(next);
          drop_resets(document);
        } else {
          merge_files(document, std::move(next), problems_);
        }
      }
    }
    return document;
  }

private:
  Value load_document(const Value& each, const fs::path& file) {
    Value document = interpolated(each);
    extend_all(document, file);
    if (const Value* include = document.find("include")) {
      const Value list = *include;
      std::erase_if(document.entries, [](const Entry& entry) { return entry.key == "include"; });
      document = with_includes(std::move(document), list, file);
    }
    return document;
  }

  // A further file's documents as one.
  Value open(const fs::path& file) {
    Value whole;
    for (const Value& each : request_.documents.all(file)) {
      Value next = interpolated(each);
      if (whole.is_null())
        whole = std::move(next);
      else
        merge_files(whole, std::move(next), problems_);
    }
    return whole;
  }

  // A mapping whatever the file holds.
  Value interpolated(Value document) {
    if (!document.is_mapping()) {
      if (!document.is_null())
        problems_.add(document.place, "expected a mapping with 'services', found something else");
      document.kind = Value::Kind::mapping;
      document.items.clear();
    }
    if (!request_.interpolate) return document;
    for (Entry& entry : document.entries) {
      if (entry.key.starts_with("x-") || (request_.stackd && is_one_of(k_own_top_keys, entry.key))) continue;
      if (entry.key == "services") {
        for (Entry& service : entry.value.entries) interpolate_service(service.value);
      } else {
        interpolator_.apply(entry.value);
      }
    }
    return document;
  }

  void interpolate_service(Value& service) {
    if (!service.is_mapping()) return;
    for (Entry& entry : service.entries) {
      if (entry.key.starts_with("x-") || (request_.stackd && is_one_of(k_own_service_keys, entry.key)))
        continue;
      interpolator_.apply(entry.value);
    }
  }

  // ---- extends

  using Step = std::pair<fs::path, std::string>;  // a service of a file

  void extend_all(Value& document, const fs::path& file) {
    Value* services = document.find("services");
    if (!services) return;
    // One at a time against the document, so that a service that others extend is resolved whoever comes
    // first.
    for (Entry& entry : services->entries) {
      std::vector<Step> chain;
      if (auto whole = extended(document, file, entry.key, entry.place, chain))
        entry.value = std::move(*whole);
    }
  }

  // The service with everything it extends merged under it; nothing (and a Problem) when that cannot be had.
  std::optional<Value> extended(const Value& document, const fs::path& file, const std::string& name,
                                const Place& from, std::vector<Step>& chain) {
    const Value* services = document.find("services");
    const Value* found = services ? services->find(name) : nullptr;
    if (!found) {
      missing_service(services, file, name, from);
      return std::nullopt;
    }
    Value service = *found;
    const Value* extends = service.find("extends");
    if (!extends || extends->is_null()) return service;

    if (std::find(chain.begin(), chain.end(), Step(file, name)) != chain.end()) {
      std::string text;
      for (const Step& step : chain) text += step.second + " -> ";
      problems_.add(from, "services extend each other in a cycle: " + text + name);
      return std::nullopt;
    }
    if (chain.size() >= k_max_depth) {
      problems_.add(from, "services extend each other more than " + std::to_string(k_max_depth) + " deep");
      return std::nullopt;
    }
    chain.emplace_back(file, name);
    auto base = base_of(document, file, *extends, chain);
    chain.pop_back();
    std::erase_if(service.entries, [](const Entry& entry) { return entry.key == "extends"; });
    if (!base) return service;
    const Place place = service.place;
    merge_services(*base, std::move(service), problems_);
    base->place = place;
    return base;
  }

  std::optional<Value> base_of(const Value& document, const fs::path& file, const Value& extends,
                               std::vector<Step>& chain) {
    if (extends.is_scalar()) return extended(document, file, extends.text, extends.place, chain);
    Reader reader(extends, "'extends'", problems_);
    const std::string service = reader.string("service");
    const std::string other = reader.string("file");
    reader.finish();
    if (service.empty()) {
      problems_.add(extends.place, "'extends' names no service; expected {service: NAME, file: FILE}");
      return std::nullopt;
    }
    if (other.empty()) return extended(document, file, service, extends.place, chain);
    // A further file's own relative paths are relative to where it lies; `file` itself to the file that names
    // it.
    const fs::path directory = file == request_.files.front() ? request_.directory : file.parent_path();
    const fs::path path = absolute_path(other, directory, request_.variables);
    try {
      const Value other_document = open(path);
      auto base = extended(other_document, path, service, extends.place, chain);
      if (base) absolute_service_paths(*base, shown_in(path.parent_path(), directory), request_.variables);
      return base;
    } catch (const Error& error) {
      add_error(extends.place, error);
      return std::nullopt;
    }
  }

  void missing_service(const Value* services, const fs::path& file, const std::string& name,
                       const Place& from) {
    std::vector<std::string> names;
    if (services) {
      for (const Entry& entry : services->entries) names.push_back(entry.key);
    }
    const auto near = util::nearest(name, names);
    problems_.add(from, "'extends' names service '" + name + "', which " +
                            shown_path(file, request_.shown_from) + " does not have" +
                            (near ? ", did you mean '" + *near + "'?" : ""));
  }

  // ---- include

  Value with_includes(Value document, const Value& list, const fs::path& file) {
    Value all;
    all.kind = Value::Kind::mapping;
    all.place = document.place;
    const std::vector<Value> items = list.is_sequence() ? list.items : std::vector<Value>{list};
    for (const Value& item : items) {
      Value included = load_include(item, file);
      refuse_conflicts(all, included, item.place);
      merge_files(all, std::move(included), problems_);
    }
    refuse_conflicts(all, document, list.place);
    merge_files(all, std::move(document), problems_);
    return all;
  }

  Value load_include(const Value& item, const fs::path& file) {
    Value nothing;
    nothing.kind = Value::Kind::mapping;
    TreeRequest inner = request_;
    std::vector<std::string> paths, env_files;
    std::string directory;
    if (item.is_mapping()) {
      Reader reader(item, "'include'", problems_);
      paths = reader.strings("path");
      env_files = reader.strings("env_file");
      directory = reader.string("project_directory");
      reader.finish();
    } else if (const auto path = scalar(item, "'include'", problems_)) {
      paths.push_back(*path);
    }
    if (paths.empty()) {
      problems_.add(item.place, "'include' names no file");
      return nothing;
    }
    inner.files.clear();
    for (const std::string& path : paths) {
      inner.files.emplace_back(absolute_path(path, request_.directory, request_.variables));
    }
    inner.directory = directory.empty()
                          ? inner.files.front().parent_path()
                          : fs::path(absolute_path(directory, request_.directory, request_.variables));
    inner.stackd = inner.files.front().filename().string().starts_with("stackd.");
    auto including = including_;
    including.push_back(file);
    const bool cycle = std::find(including.begin(), including.end(), inner.files.front()) != including.end();
    if (cycle || including.size() > k_max_depth) {
      problems_.add(item.place, "files include each other in a cycle");
      return nothing;
    }
    try {
      inner.variables = include_variables(inner.directory, env_files);
      Value included = TreeLoader(inner, including, problems_, warnings_).load();
      const auto theirs = shown_in(existing(inner.directory), request_.directory);
      absolute_document_paths(included, theirs, inner.variables);
      // What stands in it for itself: its name, and what begins with x-, which may be anchors.
      std::erase_if(included.entries, [](const Entry& entry) {
        return entry.key == "name" || entry.key == "version" ||
               (entry.key.starts_with("x-") && entry.key != "x-stackd");
      });
      return included;
    } catch (const Error& error) {
      add_error(item.place, error);
      return nothing;
    }
  }

  fs::path shown_in(const fs::path& directory, const fs::path& from) const {
    return request_.absolute_paths ? directory : directory.lexically_relative(from);
  }

  // As Compose has it: what is no directory there is one's entry.
  static fs::path existing(const fs::path& directory) {
    std::error_code ignored;
    return fs::is_directory(directory, ignored) ? directory : directory.parent_path();
  }

  FileVariables include_variables(const fs::path& directory, const std::vector<std::string>& env_files) {
    if (env_files.empty()) return compose_variables(directory, request_.variables, problems_);
    std::vector<fs::path> files;
    for (const std::string& name : env_files)
      files.emplace_back(absolute_path(name, request_.directory, request_.variables));
    return env_file_variables(files, request_.variables, request_.shown_from, problems_);
  }

  // What is defined on both sides must be the same.
  void refuse_conflicts(const Value& included, const Value& document, const Place& place) {
    for (const char* section : k_sections) {
      const Value* theirs = included.find(section);
      const Value* ours = document.find(section);
      if (!theirs || !ours) continue;
      for (const Entry& entry : ours->entries) {
        const Value* other = theirs->find(entry.key);
        if (!other || same(*other, entry.value)) continue;
        problems_.add(place, "'include' brings a second '" + std::string(section) + "." + entry.key +
                                 "', which differs from the one in " + entry.place.file + ":" +
                                 std::to_string(entry.place.line));
      }
    }
  }

  // An error that has a place of its own keeps it.
  void add_error(const Place& place, const Error& error) {
    if (error.kind() != ErrorKind::invalid_file) {
      problems_.add(place, error.what());
      return;
    }
    problems_.add({}, error.what());
  }

  TreeRequest request_;
  std::vector<fs::path> including_;
  Problems& problems_;
  std::vector<std::string>& warnings_;
  Interpolator interpolator_;
};

}  // namespace

std::string shown_path(const fs::path& file, const fs::path& from) {
  const std::string relative = file.lexically_relative(from).string();
  return relative.empty() || relative.starts_with("..") ? file.string() : relative;
}

const Value& Documents::read(const fs::path& file) {
  const auto& documents = all(file);
  refuse_more_documents(documents);
  return documents.front();
}

const std::vector<Value>& Documents::all(const fs::path& file) {
  constexpr std::uintmax_t k_max_size = 4 << 20;
  if (const auto known = known_.find(file); known != known_.end()) return known->second;
  if (file == "-") return known_.emplace(file, parse_documents(input_, "(standard input)")).first->second;
  if (const auto held = buffers_.find(file.string()); held != buffers_.end())
    return known_.emplace(file, parse_documents(held->second, shown_path(file, from_))).first->second;
  std::error_code error;
  if (fs::is_regular_file(file, error) && fs::file_size(file, error) > k_max_size) {
    throw Error(ErrorKind::invalid_file,
                "cannot read " + shown_path(file, from_) + ": it is larger than 4 MiB");
  }
  return known_.emplace(file, parse_documents(util::read_user_file(file), shown_path(file, from_)))
      .first->second;
}

Lookup variable_lookup(const FileVariables& variables) {
  return [&variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

FileVariables compose_variables(const fs::path& directory, const FileVariables& environment,
                                Problems& problems) {
  FileVariables all = environment;
  const fs::path file = directory / ".env";
  std::error_code ignored;
  if (fs::is_directory(file, ignored)) return all;
  // It may be a password manager's pipe.
  const auto text = util::read_user_file_if_there(file);
  if (text) all.merge(parse_dotenv(*text, file.string(), {variable_lookup(environment)}, problems));
  return all;
}

FileVariables env_file_variables(const std::vector<fs::path>& files, const FileVariables& environment,
                                 const fs::path& shown_from, Problems& problems) {
  FileVariables given;
  for (const fs::path& file : files) {
    try {
      auto more = parse_dotenv(util::read_user_file(file), shown_path(file, shown_from),
                               {variable_lookup(environment), &given}, problems);
      for (auto& [key, value] : more) given.insert_or_assign(key, std::move(value));
    } catch (const Error& error) {
      problems.add({}, error.what());
    }
  }
  FileVariables all = environment;
  all.merge(given);
  return all;
}

Value load_compose_tree(const TreeRequest& request, Problems& problems, std::vector<std::string>& warnings) {
  return TreeLoader(request, {}, problems, warnings).load();
}

}  // namespace stackd::stackfile
