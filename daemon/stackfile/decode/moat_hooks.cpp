// Moat's hooks: post_build_root and post_build become layers of the image, pre_run runs inside the container
// before its command. Their text is kept as it was written (moat_text.hpp says what it means).
#include <algorithm>
#include <cctype>

#include "daemon/stackfile/decode/decode.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

namespace {

// What a mapping may not have: the place is the phase's own, and so are its user and its time.
void refuse_others(Reader& reader, Phase phase) {
  if (row_of(phase).place == HookPlace::entrypoint) {
    reader.refuse({"cache"}, "is for build hooks: a container has volumes");
    reader.refuse({"user", "privileged", "image", "per_replica", "run_in", "env_group"},
                  "is not for pre_run: it becomes the container's command by exec");
  } else {
    reader.refuse(
        {"user", "privileged", "image", "per_replica", "run_in", "env_group", "run", "once", "inputs"},
        "is not for build hooks: they are layers of the image");
  }
}

// The builder reads a mount as words between commas, and expands variables in them.
void decode_cache(Reader& reader, Hook& hook) {
  constexpr std::string_view k_more = "/._-+@~";
  hook.cache = reader.strings("cache");
  for (const auto& directory : hook.cache) {
    const bool plain = std::all_of(directory.begin(), directory.end(), [&](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) || k_more.find(c) != k_more.npos;
    });
    if (!plain || !directory.starts_with('/') || directory == "/")
      reader.problem(reader.get("cache")->place,
                     reader.what() + ", 'cache': expected an absolute directory of letters, digits and " +
                         std::string(k_more) + ", found '" + directory + "'");
  }
}

// A list of words, each as it is: /bin/sh gets them quoted.
std::string quoted(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + util::shell_quoted(word);
  return text;
}

void add_hook(const Value& value, Phase phase, const std::string& service, DecodeContext& context,
              std::vector<Hook>& hooks) {
  Hook hook;
  hook.phase = phase;
  hook.service = service;
  hook.place = value.place;
  hook.index = static_cast<int>(std::count_if(hooks.begin(), hooks.end(), [&](const Hook& other) {
    return other.phase == phase && other.service == service;
  }));
  const std::string what =
      "service '" + service + "', hook " + to_string(phase) + "[" + std::to_string(hook.index) + "]";
  auto& problems = context.problems;
  std::optional<std::string> text;
  if (value.is_mapping()) {
    Reader reader(value, what, problems);
    const Value* command = reader.get(reader.has("command") ? "command" : "cmd");
    if (command && command->is_sequence())
      text = quoted(string_list(*command, what + ", command", problems));
    else if (command)
      text = scalar(*command, what + ", command", problems);
    reader.has("cmd");
    refuse_others(reader, phase);
    decode_hook_fields(reader, hook);
    if (row_of(phase).place == HookPlace::build) decode_cache(reader, hook);
    reader.finish();
    if (!text || util::trim(*text).empty()) problems.add(value.place, what + ": the command is empty");
  } else {
    text = scalar(value, what, problems);
  }
  if (!text || util::trim(*text).empty()) return;  // M1, M2.8
  hook.shell = *text;
  hooks.push_back(std::move(hook));
}

}  // namespace

void decode_moat_hooks(const Value& hooks_map, const std::string& service, DecodeContext& context,
                       std::vector<Hook>& hooks) {
  Reader reader(hooks_map, "service '" + service + "', 'hooks'", context.problems);
  for (const Phase phase : phases_of(Scope::service, Vocabulary::moat)) {
    const Value* value = reader.get(to_string(phase));
    if (!value) continue;
    if (value->is_sequence()) {
      for (const Value& item : value->items) add_hook(item, phase, service, context, hooks);
    } else {
      add_hook(*value, phase, service, context, hooks);
    }
  }
  reader.finish();
}

}  // namespace stackd::stackfile
