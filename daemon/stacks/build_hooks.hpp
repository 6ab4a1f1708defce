// Moat's build hooks (M2, M3): post_build_root and post_build as layers on top of a service's image. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daemon/spec/facts.hpp"
#include "daemon/spec/spec.hpp"

namespace stackd::stacks {

// What these hooks need to know of the image below: fields of docker::ImageDetails.
struct BaseImage {
  std::string id, user, working_dir;
  std::vector<std::string> entrypoint, command, shell;
};
// From what an image step leaves as its result (images.hpp, describe).
BaseImage base_of(const nlohmann::json& image);

bool has_build_hooks(const spec::Service& service);

// One entry, its references resolved: `raw` is what the tag is made of (M3.2), `script` what /bin/sh gets.
struct BuildHook {
  const spec::Hook* hook = nullptr;
  std::string raw, script;
};
// Those whose `if` holds, in the order they run.
std::vector<BuildHook> build_hooks(const spec::Spec& spec, const spec::Facts& facts,
                                   const spec::Service& service, const std::string& previous);

// "stackd-hooks:<16 hex>": base image, hook texts and directory decide (M3); pre_run does not (X21).
std::string derived_tag(const spec::Service& service, const std::vector<BuildHook>& hooks,
                        const BaseImage& base);
// The texts that decide, as they are written: services that share base and hooks share one build.
std::string build_hooks_key(const spec::Service& service);

struct DerivedBuild {
  std::string dockerfile;
  std::vector<int> steps;  // for each hook: the builder's step number, from 1
};
// `stack`: whose layers they are, by a label.
DerivedBuild derived_build(const spec::Service& service, const std::vector<BuildHook>& hooks,
                           const BaseImage& base, const std::string& stack);

// Label of every layer of such an image; images without it are never taken away.
constexpr const char* k_hooks_label = "dev.stackd.hooks";

// Lines that an entry's `env` and `cwd` become, before its text.
std::string shell_preamble(const spec::Spec& spec, const spec::Facts& facts, const spec::Hook& hook);

}  // namespace stackd::stacks
