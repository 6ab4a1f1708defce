// What a stackd.yaml, the x-stackd of a compose.yaml and a lich.yaml have beyond Compose.
#include <algorithm>
#include <array>

#include "daemon/resolve/reference_syntax.hpp"
#include "daemon/stackfile/decode/extras_parts.hpp"
#include "daemon/stackfile/decode/worktree.hpp"
#include "daemon/util/text.hpp"
#include "proto/verbs.hpp"

namespace stackd::stackfile {

namespace {

using namespace std::chrono_literals;

// Each entry of the mapping `key`, or a problem.
template <class Act>
void each_entry(Reader& reader, std::string_view key, Act act) {
  const Value* section = reader.get(key);
  if (!section) return;
  if (!section->is_mapping()) {
    reader.problem(section->place, "'" + std::string(key) + "': expected a mapping of names");
    return;
  }
  for (const Entry& entry : section->entries) {
    if (!entry.key.starts_with("x-")) act(entry);
  }
}

// ---- env_groups

void decode_env_group(const Entry& entry, DecodeContext& context, Spec& spec) {
  Reader reader(entry.value, "env_group '" + entry.key + "'", context.problems);
  if (entry.key == "stack") {
    context.problems.add(entry.place, "env_group 'stack' is built in; extend it under another name");
    return;
  }
  EnvGroup group;
  group.extends = reader.string("extends");
  group.process_env = reader.boolean("process_env", true);
  reader.refuse({"env_files"}, "is not for groups; use env_from");
  group.layer = decode_env_layer(reader, context, true);
  reader.finish();
  spec.env_groups[entry.key] = std::move(group);
}

void check_group_parents(Reader& top, DecodeContext& context, const Spec& spec) {
  std::vector<std::string> names{"stack"};
  for (const auto& [name, group] : spec.env_groups) names.push_back(name);
  each_entry(top, "env_groups", [&](const Entry& entry) {
    const auto group = spec.env_groups.find(entry.key);
    if (group == spec.env_groups.end() || group->second.extends.empty()) return;
    const Place place = entry.value.find("extends")->place;
    const std::string& parent = group->second.extends;
    if (parent != "stack" && !spec.env_groups.contains(parent)) {
      context.problems.add(place, "env_group '" + entry.key + "' extends '" + parent +
                                      "', which does not exist" + resolve::hint(parent, names));
      return;
    }
    std::vector<std::string> walk{entry.key};
    for (auto at = spec.env_groups.find(parent); at != spec.env_groups.end();
         at = spec.env_groups.find(at->second.extends)) {
      walk.push_back(at->first);
      if (at->first == entry.key) {
        context.problems.add(place, "env_groups extend each other in a cycle: " + util::join(walk, " -> "));
        return;
      }
      if (walk.size() > spec.env_groups.size()) return;  // a cycle further up, reported there
    }
  });
}

// ---- commands

void check_group(Reader& reader, const std::string& group, const Spec& spec) {
  if (group.empty() || group == "stack" || spec.env_groups.contains(group)) return;
  std::vector<std::string> names{"stack"};
  for (const auto& [name, unused] : spec.env_groups) names.push_back(name);
  reader.problem(reader.get("env_group")->place,
                 reader.what() + ": there is no env_group '" + group + "'" + resolve::hint(group, names));
}

void decode_command(const Entry& entry, DecodeContext& context, Spec& spec) {
  const std::string what = "command '" + entry.key + "'";
  const auto is_builtin = [&](const proto::VerbRow& row) { return entry.key == row.name && !row.free_name; };
  if (std::any_of(proto::k_verbs.begin(), proto::k_verbs.end(), is_builtin)) {
    context.problems.add(entry.place,
                         what + " has the name of a command of stackctl's own; choose another one");
  }
  if (entry.value.is_scalar() && !util::trim(entry.value.text).empty()) {  // as a hook may be written
    spec.commands[entry.key].cmd = entry.value.text;
    return;
  }
  Reader reader(entry.value, what, context.problems);
  Command command;
  command.cmd = reader.string("cmd");
  command.description = reader.string(reader.has("help") ? "help" : "description");
  reader.ignore({"description"});
  command.env_group = reader.string("env_group");
  check_group(reader, command.env_group, spec);
  if (reader.has("cwd")) command.cwd = absolute_directory(reader, "cwd", context);
  command.env = reader.environment("env");
  reader.finish();
  if (util::trim(command.cmd).empty()) reader.problem(entry.place, reader.what() + " has no 'cmd'");
  spec.commands[entry.key] = std::move(command);
}

// ---- runtime

void decode_port_range(Reader& reader, Runtime& runtime) {
  const Value* range = reader.get("port_range");
  if (!range) return;
  std::vector<int> ends;
  for (const std::string& text : reader.strings("port_range")) {
    const bool digits =
        !text.empty() && text.size() < 6 && text.find_first_not_of("0123456789") == std::string::npos;
    ends.push_back(digits ? std::stoi(text) : 0);
  }
  if (ends.size() != 2 || ends[0] < 1 || ends[1] > 65535 || ends[0] > ends[1]) {
    reader.problem(range->place, reader.what() + ", 'port_range': expected two ports, as in [9000, 9999]");
    return;
  }
  runtime.port_first = ends[0];
  runtime.port_last = ends[1];
}

void decode_runtime(const Value& value, DecodeContext& context, Spec& spec) {
  Reader reader(value, "'runtime'", context.problems);
  Runtime& runtime = spec.runtime;
  runtime.kill_others_on_fail = reader.boolean("kill_others_on_fail", true);
  runtime.fast_readiness = reader.boolean("fast_readiness", true);
  runtime.ready_when_timeout =
      reader.duration("ready_when_timeout", 1ms);  // L3.4: a bare number is milliseconds
  runtime.hook_timeout = reader.duration("hook_timeout");
  decode_port_range(reader, runtime);
  if (const auto target = reader.maybe_string("target"))
    reader.problem(reader.get("target")->place,
                   reader.what() + ", 'target': '" + *target +
                       "' is not supported by this version of stackd: a stack runs on the one engine that "
                       "DOCKER_HOST names, so leave it out");
  for (const char* key : {"compose_cli", "compose"}) {  // Lich's: which command it runs; stackd runs none
    const std::vector<std::string> words{"auto", "docker", "podman", "nerdctl"};
    const auto word = reader.maybe_string(key);
    if (!word || std::find(words.begin(), words.end(), *word) != words.end()) continue;
    reader.problem(reader.get(key)->place,
                   reader.what() + ", '" + key + "': found '" + *word + "'" + resolve::hint(*word, words));
  }
  reader.ignore({"proxy_port", "telemetry"});
  if (reader.get("sandbox"))
    spec.warnings.push_back("runtime.sandbox is not honoured: stackd runs processes on the host");
  reader.finish();
}

// A problem where a text's form is not what its row wants.
void check_form(Reader& fields, const Value& value, std::string_view key, const std::string& mistake) {
  if (!mistake.empty())
    fields.problem(value.place, fields.what() + ", '" + std::string(key) + "': " + mistake);
}

}  // namespace

void decode_stackd_top(Reader& top, DecodeContext& context, Spec& spec) {
  note_references(top.value(), spec);
  spec.worktree_main = main_worktree(context.directory);
  spec.env = decode_env_layer(top, context, true);
  each_entry(top, "env_groups", [&](const Entry& entry) { decode_env_group(entry, context, spec); });
  check_group_parents(top, context, spec);
  each_entry(top, "commands", [&](const Entry& entry) { decode_command(entry, context, spec); });
  if (const Value* runtime = top.get("runtime")) decode_runtime(*runtime, context, spec);
  if (const Value* lifecycle = top.get("lifecycle")) decode_lifecycle(*lifecycle, "", context, spec.hooks);
  if (const Value* owned = top.get("owned")) decode_owned(*owned, context, spec);
  expand_discovered(context, spec);
  top.ignore({"profiles"});
}

void decode_stackd_service(Reader& service, DecodeContext& context, Spec& spec, Service& out) {
  note_references(service.value(), spec);
  if (const Value* lifecycle = service.get("lifecycle"))
    decode_lifecycle(*lifecycle, out.name, context, out.hooks);
  if (const Value* hooks = service.get("hooks")) decode_moat_hooks(*hooks, out.name, context, out.hooks);
  out.ready_when = decode_ready_when(service, context);
}

std::optional<Readiness> decode_ready_when(Reader& reader, DecodeContext& context) {
  Readiness ready;
  if (const Value* value = reader.get("ready_when")) {
    Reader fields(*value, reader.what() + ", 'ready_when'", context.problems);
    for (const auto& row : k_probes)
      if (auto text = fields.string(row.key); !text.empty()) ready.probes[row.kind] = std::move(text);
    ready.capture = fields.string_map("capture");
    ready.timeout = fields.duration("timeout", 1ms);  // L3.4: a bare number is milliseconds
    ready.extend_on_progress = fields.boolean("extend_on_progress");
    ready.settle = fields.duration("settle", 1ms);
    fields.finish();
    for (const auto& [kind, text] : ready.probes)
      check_form(fields, *fields.get(row_of(kind).key), row_of(kind).key, row_of(kind).mistake(text));
    if (const Value* capture = fields.get("capture"); capture && !capture->is_mapping())
      fields.problem(capture->place, fields.what() + ", 'capture': expected a mapping of names to patterns");
    for (const auto& [key, pattern] : ready.capture) {
      const Value* one = fields.get("capture")->find(key);
      check_form(fields, one ? *one : *value, "capture." + key, pattern_mistake(pattern));
    }
  }
  if (const Value* value = reader.get("fail_when")) {
    Reader fields(*value, reader.what() + ", 'fail_when'", context.problems);
    ready.fail_log_match = fields.string("log_match");
    fields.finish();
    if (!ready.fail_log_match.empty())
      check_form(fields, *fields.get("log_match"), "log_match", pattern_mistake(ready.fail_log_match));
  }
  if (!ready.any() && ready.fail_log_match.empty() && !ready.settle) return std::nullopt;
  return ready;
}

void note_references(const Value& tree, Spec& spec) {
  if (tree.is_scalar() && tree.text.find("${") != std::string::npos) {
    const auto [first, last] = spec.written.equal_range(tree.text);
    const bool known = std::any_of(first, last, [&](const auto& entry) {
      return entry.second.file == tree.place.file && entry.second.line == tree.place.line &&
             entry.second.column == tree.place.column;
    });
    if (!known) spec.written.emplace(tree.text, tree.place);
  }
  for (const Value& item : tree.items) note_references(item, spec);
  for (const Entry& entry : tree.entries) {
    if (!entry.key.starts_with("x-")) note_references(entry.value, spec);
  }
}

}  // namespace stackd::stackfile
