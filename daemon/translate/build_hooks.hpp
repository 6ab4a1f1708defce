// Moat's build hooks (M2, M3): post_build_root and post_build as layers on top of a service's image. Pure.
#pragma once

#include <string>
#include <vector>

#include "daemon/model/facts.hpp"
#include "daemon/model/spec.hpp"
#include "daemon/translate/images.hpp"

namespace stackd::translate {

bool has_build_hooks(const model::Service& service);

// One entry, its references resolved: `raw` is what the tag is made of (M3.2), `script` what /bin/sh gets.
struct BuildHook {
  const model::Hook* hook = nullptr;
  std::string raw, script;
  std::vector<std::string> cache;  // directories that the builder keeps from one build to the next
};
// Those whose `if` holds, in the order they run.
std::vector<BuildHook> build_hooks(const model::Spec& spec, const model::Facts& facts,
                                   const model::Service& service, const std::string& previous);

// "stackd-hooks:<16 hex>": base image, hook texts and directory decide (M3); pre_run does not (X21).
std::string derived_tag(const model::Service& service, const std::vector<BuildHook>& hooks,
                        const ImageFacts& base);
// The texts that decide, as they are written: services that share base and hooks share one build.
std::string build_hooks_key(const model::Service& service);

struct DerivedBuild {
  std::string dockerfile;
  // For each hook the builder's number of its instruction, from 1: the classic one counts all that there
  // are, BuildKit those that make layers.
  std::vector<int> steps, layers;
};
struct DerivedWish {
  std::string from;       // the base image, as the builder is to find it
  std::string stack;      // whose layers they are, by a label
  bool buildkit = false;  // may mount
};
DerivedBuild derived_build(const model::Service& service, const std::vector<BuildHook>& hooks,
                           const ImageFacts& base, const DerivedWish& wish);
// "post_build_root[0]" of the first that needs BuildKit, "" for none.
std::string needs_buildkit(const std::vector<BuildHook>& hooks);

// Label of every layer of such an image; images without it are never taken away.
constexpr const char* k_hooks_label = "dev.stackd.hooks";

// Lines that an entry's `env` and `cwd` become, before its text.
std::string shell_preamble(const model::Spec& spec, const model::Facts& facts, const model::Hook& hook);

}  // namespace stackd::translate
