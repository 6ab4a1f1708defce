#include "client/cli/completion.hpp"

#include "client/text.hpp"

namespace stackd::client {
namespace {

std::string options_of(const CommandWords& command) {
  std::vector<std::string> names;
  for (const auto& option : command.options)
    for (const auto& name : option.names) names.push_back(name);
  return join(names, " ");
}

// What stands at a value's place.
std::string bash_values(const OptionWords& option) {
  if (option.is_file) return "COMPREPLY=($(compgen -f -- \"$cur\"))";
  if (option.is_directory) return "COMPREPLY=($(compgen -d -- \"$cur\"))";
  if (!option.choices.empty())
    return "COMPREPLY=($(compgen -W '" + join(option.choices, " ") + "' -- \"$cur\"))";
  if (!option.words.empty())
    return "COMPREPLY=($(compgen -W \"$(_stackctl_words " + option.words + ")\" -- \"$cur\"))";
  return "COMPREPLY=()";
}

// What stands where a command takes words that only the daemon knows; "" when it does not.
std::string words_of(const CommandWords& command) {
  if (command.name == "exec") return "service";
  if (command.name == "run") return "runnable";
  for (const auto& option : command.options)
    if (option.names.empty() && !option.words.empty()) return option.words;
  return "";
}

std::string bash(const std::vector<CommandWords>& commands) {
  std::vector<std::string> names;
  for (const auto& command : commands) names.push_back(command.name);
  std::string text = R"(# bash completion for stackctl: source <(stackctl completion bash)
_stackctl_words() { "${COMP_WORDS[0]}" "${globals[@]}" completion words "$1" 2>/dev/null || true; }
_stackctl() {
  local globals=()
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command='' word skip='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ -n $skip ]]; then skip=''; globals+=("$word"); continue; fi
    case $word in
      -C|--directory|-f|--file|-p|--project|--host|--profile|--env-file) skip=1; globals+=("$word") ;;
      -*) ;;
      *) command=$word; break ;;
    esac
  done
  if [[ -n $skip ]]; then globals=("${globals[@]:0:${#globals[@]}-1}"); fi  # its value is what is typed
  case $command:$prev in
)";
  for (const auto& command : commands)
    for (const auto& option : command.options) {
      if (!option.takes_value || option.names.empty()) continue;
      std::vector<std::string> patterns;
      for (const auto& name : option.names) patterns.push_back(command.name + ":" + name);
      text += "    " + join(patterns, "|") + ") " + bash_values(option) + "; return ;;\n";
    }
  text +=
      "    :-C|:--directory) COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n"
      "    :-f|:--file) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
      "    :-p|:--project) COMPREPLY=($(compgen -W \"$(_stackctl_words stack)\" -- \"$cur\")); return ;;\n"
      "    :--profile) COMPREPLY=($(compgen -W \"$(_stackctl_words profile)\" -- \"$cur\")); return ;;\n"
      "    :--host) return ;;\n"
      "  esac\n  local words\n  case $command in\n    '') words='" +
      join(names, " ") + " --json --host --directory --file --project --help --version' ;;\n";
  for (const auto& command : commands) {
    std::string words = options_of(command);
    for (const auto& option : command.options)
      if (option.names.empty() && !option.choices.empty()) words = join(option.choices, " ") + " " + words;
    text += "    " + command.name + ") words='" + words + "'";
    if (const auto kind = words_of(command); !kind.empty())
      text += "; [[ $cur == -* ]] || words+=\" $(_stackctl_words " + kind + ")\"";
    text += " ;;\n";
  }
  return text + R"(  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _stackctl stackctl
)";
}

// For zsh's 'NAME[DESCRIPTION]:…' inside single quotes.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '\'') out += "'\\'";
    if (c == '[' || c == ']' || c == ':') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_value(const OptionWords& option) {
  if (!option.takes_value) return "";
  std::string values = option.is_file ? "_files" : option.is_directory ? "_files -/" : "";
  if (!option.choices.empty()) values = "(" + join(option.choices, " ") + ")";
  if (!option.words.empty()) values = "_stackctl_words " + option.words;
  return ":value:" + values;
}

std::string zsh(const std::vector<CommandWords>& commands) {
  std::string text =
      "#compdef stackctl\n# zsh completion for stackctl: source <(stackctl completion zsh)\n"
      "_stackctl_words() { compadd -- ${(f)\"$(stackctl completion words $1 2>/dev/null)\"} }\n_stackctl() "
      "{\n"
      "  local -a commands\n  commands=(\n";
  for (const auto& command : commands)
    text += "    '" + command.name + ":" + zsh_text(command.description) + "'\n";
  text += R"(  )
  local state
  _arguments -C '(-C --directory)'{-C,--directory}'[Go there first]:directory:_files -/' \
    '*'{-f,--file}'[The stack file]:file:_files' '(-p --project)'{-p,--project}'[The stack]:name:' \
    '--host[The daemon]:url:' '--json[Documents of the API]' '1:command:->command' '*::arguments:->arguments'
  case $state in
    command) _describe command commands ;;
    arguments)
      case $words[1] in
)";
  for (const auto& command : commands) {
    text += "        " + command.name + ") _arguments";
    std::string positional;
    for (const auto& option : command.options) {
      if (option.names.empty()) {
        if (!option.choices.empty()) positional = " '1:value:(" + join(option.choices, " ") + ")'";
        continue;
      }
      for (const auto& name : option.names)
        text +=
            " \\\n          '" + name + "[" + zsh_text(option.description) + "]" + zsh_value(option) + "'";
    }
    if (const auto kind = words_of(command); !kind.empty())
      positional = " '*:" + kind + ":_stackctl_words " + kind + "'";
    text += positional + " ;;\n";
  }
  return text + R"(      esac ;;
  esac
}
if [[ $funcstack[1] == _stackctl ]]; then _stackctl "$@"; else compdef _stackctl stackctl; fi
)";
}

std::string fish_quote(const std::string& text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish(const std::vector<CommandWords>& commands) {
  std::string text =
      "# fish completion for stackctl: stackctl completion fish | source\ncomplete -c stackctl -f\n";
  for (const auto& command : commands)
    text += "complete -c stackctl -n __fish_use_subcommand -a " + command.name + " -d " +
            fish_quote(command.description) + "\n";
  for (const auto& command : commands)
    if (const auto kind = words_of(command); !kind.empty())
      text += "complete -c stackctl -n '__fish_seen_subcommand_from " + command.name +
              "' -a '(stackctl completion words " + kind + " 2>/dev/null)'\n";
  for (const auto& command : commands)
    for (const auto& option : command.options) {
      std::string line = "complete -c stackctl -n '__fish_seen_subcommand_from " + command.name + "'";
      for (const auto& name : option.names)
        line += name[1] == '-' ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (option.names.empty() && option.choices.empty()) continue;
      if (!option.words.empty()) line += " -a '(stackctl completion words " + option.words + " 2>/dev/null)'";
      if (!option.names.empty() && option.takes_value) line += option.is_file ? " -rF" : " -x";
      if (option.is_directory) line += " -a '(__fish_complete_directories)'";
      if (!option.choices.empty()) line += " -a " + fish_quote(join(option.choices, " "));
      text += line + " -d " + fish_quote(option.description) + "\n";
    }
  return text;
}

}  // namespace

std::string completion_script(const std::string& shell, const std::vector<CommandWords>& commands) {
  if (shell == "bash") return bash(commands);
  if (shell == "zsh") return zsh(commands);
  if (shell == "fish") return fish(commands);
  return "";
}

}  // namespace stackd::client
