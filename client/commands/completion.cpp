// stackctl completion install: the scripts where each shell looks for them.
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "client/cli/cli.hpp"
#include "client/commands/commands.hpp"
#include "client/error.hpp"

namespace stackd::client {
namespace {

namespace fs = std::filesystem;

fs::path from_home(const char* variable, const char* otherwise) {
  const char* named = std::getenv(variable);
  if (named && *named == '/') return named;
  const char* home = std::getenv("HOME");
  if (!home || !*home)
    throw ClientError(proto::k_operation_failed, "cannot install a completion: HOME is not set");
  return fs::path(home) / otherwise;
}

fs::path file_for(const std::string& shell) {
  const auto data = from_home("XDG_DATA_HOME", ".local/share");
  if (shell == "bash") return data / "bash-completion/completions/stackctl";
  if (shell == "zsh") return data / "zsh/site-functions/_stackctl";
  return from_home("XDG_CONFIG_HOME", ".config") / "fish/completions/stackctl.fish";
}

std::string own_shell() {
  const char* shell = std::getenv("SHELL");
  const std::string name = shell ? fs::path(shell).filename().string() : "";
  if (name == "bash" || name == "zsh" || name == "fish") return name;
  throw ClientError(proto::k_bad_usage,
                    "cannot tell which shell this is: `stackctl completion install bash`, zsh or fish");
}

}  // namespace

int install_completion(Context& context, const std::string& wanted) {
  const std::string shell = wanted.empty() ? own_shell() : wanted;
  const std::string script = completion_script(shell, all_commands());
  if (script.empty())
    throw ClientError(proto::k_bad_usage,
                      "there is no completion for '" + shell + "': bash, zsh and fish have one");
  const auto file = file_for(shell);
  std::error_code failed;
  fs::create_directories(file.parent_path(), failed);
  std::ofstream out(file, std::ios::trunc);
  out << script;
  out.close();
  if (!out) throw ClientError(proto::k_operation_failed, "cannot write " + file.string());
  context.out("wrote " + file.string() + "\n");
  if (shell == "zsh")
    context.out("zsh finds it with this in ~/.zshrc, before compinit:  fpath=(" +
                file.parent_path().string() + " $fpath)\n");
  else if (shell == "bash")
    context.out("bash finds it in its next shell, where bash-completion is installed\n");
  return proto::k_done;
}

}  // namespace stackd::client
