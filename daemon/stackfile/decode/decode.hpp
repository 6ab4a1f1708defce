// The decoders' shared surface: which part of a file each reads. All add to Problems and return what they
// could read.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "daemon/model/spec.hpp"
#include "daemon/stackfile/decode/load_request.hpp"
#include "daemon/yaml/reader.hpp"

namespace stackd::stackfile {

using namespace model;
using namespace yaml;

struct DecodeContext {
  const LoadRequest& request;
  std::string directory;  // the stack's, absolute: where its (first) file lies
  std::string name;       // project name, once known
  Problems& problems;
  const std::map<std::string, std::string>& variables;  // what interpolation of Compose's parts sees
  // L10.8: `owned` entries with `discover`, and the services they became (extras.cpp fills it, profiles.cpp
  // reads it).
  std::map<std::string, std::vector<std::string>> discovered = {};
  // Where each text with a ${ in an env file was written (Spec::written).
  std::multimap<std::string, Place> in_env_files = {};
};

// Remembers in Spec::written where texts with references stand. Keys that begin with x- are left out.
void note_references(const Value& tree, Spec& spec);

// ---- compose.cpp: Compose's own keys (tree is already merged and interpolated)
//
// Whole document into `spec` (services, networks, volumes, secrets,
// configs). `extension` is called for stackd's own keys: on the top level (service null) and in each service,
// with the mapping that holds them: the document itself in a stackd.yaml, the x-stackd mapping in a
// compose.yaml. It must ask its Reader for every key it knows. `top` comes after every service.
struct Extension {
  std::function<void(Reader&, Spec&)> top;
  std::function<void(Reader&, Spec&, Service&)> service;
};
void decode_compose(const Value& document, DecodeContext& context, const Extension& extension, Spec& spec);
// no, always, unless-stopped, on-failure[:TIMES], or nothing.
bool is_restart(const std::string& word);
// Compose's own rule, for services of every kind.
bool is_service_name(const std::string& name);

// ---- lifecycle.cpp: hooks in all three vocabularies
//
// Lich's `lifecycle:` mapping: of the stack
// (service empty) or a service. Appends to `hooks`, indices continue.
void decode_lifecycle(const Value& lifecycle, const std::string& service, DecodeContext& context,
                      std::vector<Hook>& hooks);
// Compose's pre_start, post_start, pre_stop list.
void decode_container_hooks(const Value& list, Phase phase, const std::string& service,
                            DecodeContext& context, std::vector<Hook>& hooks);
// What every entry that is a mapping may have, whatever its phase: cwd, env, timeout, retries, on_failure,
// run, if (design.md, the table of hook fields).
void decode_hook_fields(Reader& reader, Hook& hook);
// Moat's `hooks:` mapping (post_build_root, post_build, pre_run).
void decode_moat_hooks(const Value& hooks_map, const std::string& service, DecodeContext& context,
                       std::vector<Hook>& hooks);

// ---- extras.cpp: everything that a stackd.yaml (or x-stackd, or a lich.yaml) has beyond Compose
//
// lifecycle, owned, env, env_files, env_from, env_groups, commands, runtime; `profiles`
// (a map) is only marked as known, apply_profiles comes when all services are there.
void decode_stackd_top(Reader& top, DecodeContext& context, Spec& spec);
// lifecycle, hooks, ready_when, fail_when in a container service.
void decode_stackd_service(Reader& service, DecodeContext& context, Spec& spec, Service& out);
std::optional<Readiness> decode_ready_when(Reader& reader,
                                           DecodeContext& context);  // its ready_when and fail_when keys
EnvLayer decode_env_layer(Reader& reader, DecodeContext& context,
                          bool main_worktree_fallback);  // env, env_files, env_from

// ---- profiles.cpp
//
// Lich's
// profiles (L8): picks one, merges its env, hooks and services into the spec. Compose's own `profiles:` of
// services are compose.cpp's.
void apply_profiles(const Value& profiles, DecodeContext& context, Spec& spec);

// ---- check.cpp: what holds for every format: unknown dependencies (nearest name), cycles (printed as a -> b
// -> a), conditions that cannot be met (service_healthy with the healthcheck disabled; an image may bring
// one), duplicate container names, scale with container_name or with one fixed host port, two services with
// the same fixed port; then references.
void check_spec(const Spec& spec, const Value& document, DecodeContext& context);
// Of these the dependencies, which can be seen whatever else is wrong in the file.
void check_dependencies(const Spec& spec, const Value& document, DecodeContext& context);

}  // namespace stackd::stackfile
