// Hooks of Lich and of Compose. A phase is a list; an entry is a string or a mapping; a list inside the list
// is a group that runs at the same time. Moat's three are in moat_hooks.cpp.
#include <algorithm>

#include "daemon/resolve/references.hpp"
#include "daemon/stackfile/decode/decode.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

namespace {

constexpr long long k_max_retries = 1000;

bool is_shell(Phase phase) {
  return row_of(phase).text == Text::shell;
}
// What the reader refuses in words of its own; not what is written here too (before_down has both scopes).
std::vector<std::string> names_of(const std::vector<Phase>& phases, const std::vector<Phase>& own) {
  std::vector<std::string> names;
  for (const Phase phase : phases)
    if (std::find(own.begin(), own.end(), phase) == own.end()) names.push_back(to_string(phase));
  return names;
}

// One of `words`, or a problem that offers the nearest; "" when the key is absent or wrong.
std::string choice(Reader& reader, std::string_view key, const std::vector<std::string>& words) {
  const auto text = reader.maybe_string(key);
  if (!text || std::find(words.begin(), words.end(), *text) != words.end()) return text.value_or("");
  const auto near = util::nearest(*text, words);
  reader.problem(reader.get(key)->place, reader.what() + ", '" + std::string(key) + "': expected " +
                                             util::join(words, ", ") + ", found '" + *text + "'" +
                                             (near ? ", did you mean '" + *near + "'?" : ""));
  return "";
}

// Two names for one thing; both at once is a mistake.
std::string_view one_of(Reader& reader, std::string_view first, std::string_view second) {
  const bool has_first = reader.has(first);
  const bool has_second = reader.has(second);
  if (has_first && has_second) {
    reader.problem(reader.value().place, reader.what() + ": give '" + std::string(first) + "' or '" +
                                             std::string(second) + "', not both");
  }
  return has_second ? second : first;
}

void decode_retries(Reader& reader, Hook& hook) {
  if (const auto retries = reader.integer("retries")) {
    if (*retries < 0 || *retries > k_max_retries) {
      reader.problem(
          reader.get("retries")->place,
          reader.what() + ", 'retries': expected a number from 0 to " + std::to_string(k_max_retries));
    } else {
      hook.retries = static_cast<int>(*retries);
    }
  }
  if (const auto delay = reader.duration("retry_delay")) hook.retry_delay = *delay;
}

// once: volume:KEY stands in place of run: once.
void decode_once(Reader& reader, Hook& hook) {
  constexpr std::string_view k_volume = "volume:";
  const auto text = reader.maybe_string("once");
  if (!text) return;
  const auto refuse = [&](const std::string& why) { reader.problem(reader.get("once")->place, why); };
  if (!text->starts_with(k_volume) || text->size() == k_volume.size())
    refuse(reader.what() + ", 'once': expected volume:NAME, found '" + *text + "'");
  else if (reader.has("run"))
    refuse(reader.what() + ": give 'run' or 'once', not both");
  else
    hook.once_volume = text->substr(k_volume.size());
  hook.run = RunPolicy::once;
}

void decode_policies(Reader& reader, Hook& hook) {
  const std::string failure = choice(reader, "on_failure", {"fail", "warn", "ignore"});
  if (failure == "fail") hook.on_failure = OnFailure::fail;
  if (failure == "warn") hook.on_failure = OnFailure::warn;
  if (failure == "ignore") hook.on_failure = OnFailure::ignore;
  const std::string run = choice(reader, "run", {"always", "once", "changed"});
  if (run == "always") hook.run = RunPolicy::always;
  if (run == "once") hook.run = RunPolicy::once;
  if (run == "changed") hook.run = RunPolicy::changed;
  decode_once(reader, hook);
  hook.inputs = reader.strings("inputs");
  if (!hook.inputs.empty() && hook.run != RunPolicy::changed) {
    reader.problem(reader.get("inputs")->place, reader.what() + ": 'inputs' is for 'run: changed'");
  }
}

void decode_condition(Reader& reader, Hook& hook) {
  const Value* condition = reader.get("if");
  if (!condition) return;
  Reader fields(*condition, reader.what() + ", 'if'", reader.problems());
  hook.if_profile = fields.strings("profile");
  hook.if_os = fields.strings("os");
  hook.if_env = fields.strings("env");
  for (const std::string& wish : hook.if_env) {
    if (wish.empty() || wish == "!" || wish.front() == '=') {
      fields.problem(fields.get("env")->place, fields.what() + ", 'env': expected NAME, !NAME or NAME=value");
    }
  }
  hook.if_previous = choice(fields, "previous", {"failed", "succeeded"});
  fields.finish();
}

// Decodes one entry; add() collects those that are whole.
class EntryDecoder {
public:
  EntryDecoder(Phase phase, std::string service, DecodeContext& context, std::vector<Hook>& hooks)
      : phase_(phase), service_(std::move(service)), problems_(context.problems), hooks_(hooks) {
    for (const Hook& hook : hooks_) {
      if (hook.phase != phase_ || hook.service != service_) continue;
      index_ = std::max(index_, hook.index + 1);
      next_group_ = std::max(next_group_, hook.group + 1);
    }
  }

  void add_list(const Value& list) {
    if (list.is_null()) return;
    if (!list.is_sequence()) {
      problems_.add(list.place, where() + ": expected a list of commands");
      return;
    }
    for (const Value& item : list.items) {
      if (item.is_sequence()) {
        add_group(item);
      } else {
        add(item, -1);
      }
    }
  }

private:
  std::string where() const {
    return (service_.empty() ? "" : "service '" + service_ + "', ") + ("hook " + to_string(phase_));
  }
  std::string entry_name() const { return where() + "[" + std::to_string(index_) + "]"; }

  void add_group(const Value& group) {
    const int number = next_group_++;
    for (const Value& item : group.items) {
      if (item.is_sequence()) {
        problems_.add(item.place,
                      entry_name() + ": a group is a list of commands, without further lists in it");
      } else {
        add(item, number);
      }
    }
  }

  void add(const Value& value, int group) {
    Hook hook;
    hook.phase = phase_;
    hook.service = service_;
    hook.group = group;
    hook.place = value.place;
    if (value.is_mapping()) {
      decode_mapping(value, hook);
    } else if (value.is_scalar()) {
      set_command(value, hook);
    } else {
      problems_.add(value.place, entry_name() + ": expected a command, or a mapping with one");
    }
    hook.index = index_++;
    hooks_.push_back(std::move(hook));
  }

  // C1.8: the engine would refuse an empty one much later, even during a down.
  void set_command(const Value& value, Hook& hook) {
    if (value.is_sequence()) {
      hook.argv = string_list(value, entry_name() + ", command", problems_);
    } else if (const auto text = scalar(value, entry_name() + ", command", problems_)) {
      if (is_shell(phase_)) {
        hook.shell = *text;
      } else {
        split(*text, value.place, hook);
      }
    } else {
      return;
    }
    const bool blank = hook.argv.empty() ? util::trim(hook.shell).empty() : hook.argv.front().empty();
    if (blank) problems_.add(value.place, entry_name() + ": the command is empty");
  }

  void split(const std::string& text, const Place& place, Hook& hook) {
    // X31. Compose stops at an unquoted ; & | < or >, and runs what is before it. Here they are words like
    // any other, which the command sees: a hook that loses half of itself in silence helps nobody.
    try {
      hook.argv = util::split_words(text);
    } catch (const util::Error& error) {
      problems_.add(place, entry_name() + ": " + error.what());
      hook.argv = {text};
    }
  }

  void decode_mapping(const Value& value, Hook& hook) {
    Reader reader(value, entry_name(), problems_);
    const std::string_view command = one_of(reader, "cmd", "command");
    if (const Value* text = reader.get(command)) {
      set_command(*text, hook);
    } else if (phase_ != Phase::pre_start || reader.has(command)) {
      problems_.add(value.place, entry_name() + ": a command is missing, expected '" +
                                     (is_shell(phase_) ? "cmd" : "command") + "'");
    }
    decode_hook_fields(reader, hook);
    if (!is_shell(phase_)) {  // Compose has interpolated them
      for (auto& [name, text] : hook.env) {
        if (text) text = resolve::keep_dollars(*text);
      }
    }
    decode_place(reader, hook);
    reader.ignore({"per_fork"});  // Lich's sandboxes
    reader.finish();
  }

  void decode_place(Reader& reader, Hook& hook) {
    if (const Value* place = reader.get("run_in")) {
      if (place->is_mapping()) {
        Reader fields(*place, reader.what() + ", 'run_in'", problems_);
        hook.run_in_image = fields.string("image");
        if (hook.run_in_image.empty()) fields.problem(place->place, fields.what() + ": expected an 'image'");
        fields.finish();
      } else {
        hook.run_in = reader.string("run_in");
      }
    }
    const bool own_place = hook.run_in.empty() && hook.run_in_image.empty();
    const bool on_host = hook.run_in == "host" || (own_place && row_of(phase_).place == HookPlace::host);
    if (on_host) {
      hook.env_group = reader.string("env_group");
      reader.refuse({"user", "privileged"}, "is for hooks that run in a container");
    } else {
      hook.user = reader.string("user");
      hook.privileged = reader.boolean("privileged");
      reader.refuse({"env_group"}, "is for hooks that run on the host");
    }
    if (phase_ == Phase::pre_start && own_place) {
      hook.image = reader.string("image");
      hook.per_replica = reader.boolean("per_replica");
    } else {
      reader.refuse({"image", "per_replica"},
                    phase_ == Phase::pre_start ? "does not go with 'run_in'" : "is for pre_start only");
    }
  }

  Phase phase_;
  std::string service_;
  Problems& problems_;
  std::vector<Hook>& hooks_;
  int index_ = 0;
  int next_group_ = 0;
};

}  // namespace

void decode_hook_fields(Reader& reader, Hook& hook) {
  hook.cwd = reader.string(one_of(reader, "cwd", "working_dir"));
  hook.env = reader.environment(one_of(reader, "env", "environment"));
  hook.timeout = reader.duration("timeout");
  decode_retries(reader, hook);
  decode_policies(reader, hook);
  decode_condition(reader, hook);
}

void decode_lifecycle(const Value& lifecycle, const std::string& service, DecodeContext& context,
                      std::vector<Hook>& hooks) {
  const bool of_stack = service.empty();
  Reader reader(lifecycle, of_stack ? "'lifecycle'" : "service '" + service + "', 'lifecycle'",
                context.problems);
  const auto own = phases_of(of_stack ? Scope::stack : Scope::service, Vocabulary::lich);
  for (const Phase phase : own) {
    if (const Value* list = reader.get(to_string(phase)))
      EntryDecoder(phase, service, context, hooks).add_list(*list);
  }
  reader.refuse(names_of(phases_of(of_stack ? Scope::service : Scope::stack, Vocabulary::lich), own),
                of_stack ? "is a phase of a service: write it in the service's 'lifecycle'"
                         : "is a phase of the stack: write it in the 'lifecycle' at the top level");
  reader.refuse(names_of(phases_of(Scope::service, Vocabulary::compose), own),
                "is a key of the service itself, as in Compose");
  reader.refuse(names_of(phases_of(Scope::service, Vocabulary::moat), own),
                "is a key of the service's 'hooks'");
  reader.finish();
}

void decode_container_hooks(const Value& list, Phase phase, const std::string& service,
                            DecodeContext& context, std::vector<Hook>& hooks) {
  EntryDecoder(phase, service, context, hooks).add_list(list);
}

}  // namespace stackd::stackfile
