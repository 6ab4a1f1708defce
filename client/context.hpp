// Context: what a command gets: the options that all take, where to write, and the daemon.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/api.hpp"
#include "client/output/progress.hpp"
#include "client/output/table.hpp"
#include "client/select.hpp"

namespace stackd::client {

struct Globals {
  bool json = false;
  std::string host, directory, project;
  std::vector<std::string> files, env_files, profiles;
  std::string project_directory;
};

class Context {
public:
  // Goes to `directory` (-C) first, so that everything else is relative to it. Throws ClientError(2).
  explicit Context(Globals globals);

  const Globals& globals() const { return globals_; }
  bool json() const { return globals_.json; }

  // ---- the daemon
  // Started when none listens.
  Api& api();
  // Nothing when none listens; starts none.
  Api* api_if_listening();
  const Endpoint& endpoint();
  // The stack that -p, -f or the working directory mean.
  proto::Stack stack();
  // The request for this directory, its files and the whole environment.
  proto::UpRequest up_request() const;
  // The same of the one -f, whose text is the standard input's: it need not be on the disk.
  proto::UpRequest request_of_buffer() const;

  // ---- output
  void out(std::string_view text) const;
  void err(std::string_view text) const;
  void out(const Table& table) const;
  // A document of the API, on a line of its own.
  void document(const std::string& text) const;
  void warn(const std::vector<std::string>& warnings) const;
  bool terminal() const { return terminal_; }
  bool colour() const { return colour_; }
  int width() const;  // of the terminal; 0 on a pipe
  std::unique_ptr<Progress> progress() const;
  // The same on standard error, beside a command's own output; nothing but its end is heard with `quiet`.
  std::unique_ptr<Progress> progress_beside(bool quiet) const;

  // Shows a running operation to its end (or what it was, when it is over already); its document with --json.
  struct End {
    proto::Operation operation;
    int exit_code = 0;
    bool left = false;  // Ctrl-C: it goes on without us
  };
  End follow_to_end(const proto::Operation& operation, bool interrupt_cancels);

private:
  proto::UpRequest request_here() const;
  // The same with what the files need of us: standard input, and that they can be read.
  proto::UpRequest request_of_files() const;
  // Of variables that no request can carry; once.
  void warn_of_bytes() const;
  // COMPOSE_FILE and COMPOSE_PROJECT_NAME, of the caller or an env file, say which stack is meant as they do
  // in Compose.
  void follow_compose(const std::vector<proto::Stack>& stacks, Wanted& wanted);

  Globals globals_;
  std::string directory_;           // absolute
  std::vector<std::string> files_;  // absolute; "-" stays
  mutable bool warned_of_bytes_ = false;
  mutable std::optional<std::string> input_;  // standard input, once a file is "-" and it is asked for
  std::unique_ptr<Api> api_;
  std::optional<Endpoint> endpoint_;
  bool named_ = false;
  bool terminal_ = false, colour_ = false, error_colour_ = false;
};

// Prints an error as main() does. Lines that begin with a file's name and place are not indented: editors
// read them.
void print_error(const std::string& message, const std::vector<std::string>& details, bool indented = true);

}  // namespace stackd::client
