// What is wrong with the references of a Spec, as far as it can be seen without facts.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "daemon/model/json.hpp"
#include "daemon/resolve/reference_syntax.hpp"
#include "daemon/util/text.hpp"

namespace stackd::resolve {

namespace {

std::string at(const Place& place) {
  if (place.file.empty()) return "";
  return place.file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) + ": ";
}

class Checker {
public:
  explicit Checker(const Spec& spec) : spec_(spec) {
    top_.file = spec.files.empty() ? "" : spec.files.front();
    top_.line = top_.column = 1;
  }

  std::vector<std::string> check() {
    layer(spec_.env, top_, Strictness::value);
    layer(spec_.profile_env, top_, Strictness::value);
    for (const auto& [name, group] : spec_.env_groups) layer(group.layer, top_, Strictness::value);
    for (const auto& [name, command] : spec_.commands) check_command(command);
    hooks(spec_.hooks);
    for (const Service& service : spec_.services) check_service(service);
    // Whatever else has references in it: parts that the profile leaves out. Whose text it is is not known
    // here, so what any of them would leave alone is left (X18).
    for (const auto& [text, place] : spec_.written) check_text(text, Strictness::shell, place);
    return lines();
  }

private:
  // In the order in which they are written.
  std::vector<std::string> lines() {
    std::stable_sort(mistakes_.begin(), mistakes_.end(), [](const auto& a, const auto& b) {
      const auto key = [](const Place& place) { return std::tie(place.file, place.line, place.column); };
      return key(a.first) < key(b.first);
    });
    std::vector<std::string> lines;
    for (const auto& [place, message] : mistakes_) {
      std::string line = at(place) + message;
      if (lines.empty() || lines.back() != line) lines.push_back(std::move(line));
    }
    return lines;
  }

  void check_service(const Service& service) {
    layer(service.environment, service.place, service.owned ? Strictness::value : Strictness::text);
    if (service.process) {
      const Process& process = *service.process;
      for (const std::string* text :
           {&process.cmd, &process.stop_cmd, &process.owned_label, &process.owned_name_pattern})
        check_text(*text, Strictness::shell, service.place);
    }
    if (service.ready_when) {
      for (const auto& [kind, text] : service.ready_when->probes)
        if (row_of(kind).references) check_text(text, Strictness::shell, service.place);
    }
    if (service.container) walk(to_json(service).value("container", nlohmann::json::object()), service.place);
    hooks(service.hooks);
  }

  void walk(const nlohmann::json& value, const Place& place) {
    if (value.is_string()) {
      check_text(value.get<std::string>(), Strictness::text, place);
    } else if (value.is_structured()) {
      for (const auto& item : value) walk(item, place);
    }
  }

  void check_command(const Command& command) {
    check_text(command.cmd, Strictness::shell, top_);
    environment(command.env, top_, Strictness::value);
  }

  void hooks(const std::vector<Hook>& hooks) {
    for (const Hook& hook : hooks) {
      for (const std::string* text : {&hook.shell, &hook.cwd, &hook.user, &hook.image})
        check_text(*text, Strictness::shell, hook.place);
      for (const std::string& word : hook.argv) check_text(word, Strictness::shell, hook.place);
      environment(hook.env, hook.place, Strictness::value);
      const std::string what = (hook.service.empty() ? "" : "service '" + hook.service + "', ") +
                               ("hook " + to_string(hook.phase)) + "[" + std::to_string(hook.index) + "]";
      check_group(hook.env_group, what, hook.place);
      check_place(hook, what);
    }
  }

  void check_place(const Hook& hook, const std::string& what) {
    if (hook.run_in.empty() || hook.run_in == "host") return;
    const Service* service = spec_.find(hook.run_in);
    if (service && service->container) return;
    std::vector<std::string> names{"host"};
    for (const Service& other : spec_.services) {
      if (other.container) names.push_back(other.name);
    }
    const auto& off = spec_.disabled;
    if (!service && std::find(off.begin(), off.end(), hook.run_in) != off.end()) return;
    add(hook.place, what + ", 'run_in': " +
                        (service ? "'" + hook.run_in + "' is no container"
                                 : "there is no service '" + hook.run_in + "'") +
                        hint(hook.run_in, names));
  }

  void check_group(const std::string& group, const std::string& what, const Place& place) {
    if (group.empty() || group == "stack" || spec_.env_groups.contains(group)) return;
    std::vector<std::string> names{"stack"};
    for (const auto& [name, unused] : spec_.env_groups) names.push_back(name);
    add(place, what + ": there is no env_group '" + group + "'" + hint(group, names));
  }

  void layer(const EnvLayer& layer, const Place& place, Strictness strictness) {
    for (const EnvSource& source : layer.from) check_text(source.cmd, Strictness::shell, source.place);
    environment(layer.file_env, place, strictness);
    environment(layer.env, place, strictness);
  }

  void environment(const Environment& environment, const Place& place, Strictness strictness) {
    for (const auto& [name, value] : environment) {
      if (value) check_text(*value, strictness, place);
    }
  }

  void check_text(const std::string& text, Strictness strictness, const Place& fallback) {
    if (text.find("${") == std::string::npos) return;
    const std::string mistake = mistake_in(text, strictness);
    if (mistake.empty()) return;
    const auto [first, last] = spec_.written.equal_range(text);
    if (first == last && !is_part_of_a_written_one(text)) add(fallback, mistake);
    for (auto place = first; place != last; ++place) add(place->second, mistake);
  }

  // A word of a command that was written as one string: the whole string is told of.
  bool is_part_of_a_written_one(const std::string& text) const {
    return std::any_of(spec_.written.begin(), spec_.written.end(),
                       [&](const auto& entry) { return entry.first.find(text) != std::string::npos; });
  }

  std::string mistake_in(const std::string& text, Strictness strictness) const {
    if (strictness != Strictness::value) {
      if (const std::string slip = slip_in(text); !slip.empty()) return slip;
    }
    for (const Piece& piece : split_references(text, strictness)) {
      if (piece.kind == Piece::Kind::broken) return piece.text;
      if (piece.kind == Piece::Kind::text) continue;
      Reference reference = parse_reference(piece.text);
      const bool of_service = reference.root == "services" || reference.root == "owned";
      if (reference.mistake.empty() && of_service) reference.mistake = look_up(reference, spec_).mistake;
      if (!reference.mistake.empty()) return "${" + piece.text + "} is not known: " + reference.mistake;
    }
    return "";
  }

  void add(const Place& place, const std::string& message) { mistakes_.emplace_back(place, message); }

  const Spec& spec_;
  Place top_;
  std::vector<std::pair<Place, std::string>> mistakes_;
};

}  // namespace

std::vector<std::string> check_references(const Spec& spec) {
  return Checker(spec).check();
}

}  // namespace stackd::resolve
