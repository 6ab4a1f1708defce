#include "client/context.hpp"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <utility>

#include "client/connect.hpp"
#include "client/error.hpp"
#include "client/follow.hpp"
#include "client/output/style.hpp"
#include "client/terminal.hpp"
#include "client/text.hpp"

extern char** environ;

namespace stackd::client {
namespace {

// It can only be read by setting it; nothing else runs here.
std::string own_umask() {
  const auto mask = ::umask(0);
  ::umask(mask);
  char text[8];
  std::snprintf(text, sizeof text, "%03o", static_cast<unsigned>(mask));
  return text;
}

constexpr int k_narrow = 40;  // columns: from here down plain lines say more than cut ones

// What cannot be written has no reader: the work itself is the daemon's and goes on.
void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

bool wants_colour(int fd) {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return ::isatty(fd) && !(no_colour && *no_colour) && !(term && std::strcmp(term, "dumb") == 0);
}

// Whether a live view makes sense there: a terminal that is known, wide enough for columns, with our signs.
bool can_be_redrawn() {
  const char* term = std::getenv("TERM");
  if (!term || !*term || std::strcmp(term, "dumb") == 0) return false;
  std::string locale;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"})
    if (const char* value = std::getenv(name); value && *value && locale.empty()) locale = value;
  for (char& c : locale) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const bool utf8 = locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  const proto::WindowSize size = window_size();
  return utf8 && (size.columns == 0 || size.columns > k_narrow);
}

Size terminal_size() {
  winsize size{};
  if (::ioctl(1, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

std::string standard_input() {
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::read(0, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      throw ClientError(proto::k_bad_usage,
                        std::string("cannot read the standard input: ") + std::strerror(errno));
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

std::string working_directory() {
  std::error_code failed;
  std::string path = std::filesystem::current_path(failed).string();
  if (failed) throw ClientError(proto::k_bad_usage, "cannot read the working directory: " + failed.message());
  return path;
}

// What Compose's own variables are read from, before anything else is known of the stack: what these regular
// files hold, one after another. A pipe is read once, by the daemon.
std::string text_of_env_files(std::vector<std::string> files) {
  if (const char* named = std::getenv("COMPOSE_ENV_FILES"); files.empty() && named) {
    std::istringstream names(named);
    for (std::string name; std::getline(names, name, ',');) files.push_back(name);
  }
  const char* none = std::getenv("COMPOSE_DISABLE_ENV_FILE");
  const bool disabled = none && std::string_view("1tTyY").find(none[0]) != std::string_view::npos && *none;
  if (files.empty() && !disabled) files.emplace_back(".env");
  std::string text;
  for (const auto& file : files) {
    constexpr std::uintmax_t k_largest = 1 << 20;
    std::error_code failed;
    if (!std::filesystem::is_regular_file(file, failed) ||
        std::filesystem::file_size(file, failed) > k_largest)
      continue;
    std::ifstream in(file, std::ios::binary);
    text.append(std::istreambuf_iterator<char>(in), {});
    text += '\n';
  }
  return text;
}

// Whether Compose's variable may be set: by the caller, or in an env file, which the daemon then reads in
// earnest.
bool compose_says(const char* variable, const std::vector<std::string>& files) {
  if (const char* value = std::getenv(variable); value && *value) return true;
  return text_of_env_files(files).find(variable) != std::string::npos;
}

// The project's name that the env files give, where no stack file is, so that the daemon has nothing to read
// them for. Only a name that stands there as it is: those need neither quotes nor escapes.
std::string project_in_env_files(const std::vector<std::string>& files) {
  static const std::regex line(
      R"(^[ \t]*(?:export[ \t]+)?COMPOSE_PROJECT_NAME[ \t]*[=:][ \t]*(["']?)([a-z0-9][a-z0-9_-]*)\1[ \t\r]*(?:[ \t]#.*)?$)");
  std::string name;
  std::istringstream lines(text_of_env_files(files));
  std::smatch found;
  for (std::string one; std::getline(lines, one);)
    if (std::regex_match(one, found, line)) name = found[2];
  return name;
}

}  // namespace

void print_error(const std::string& message, const std::vector<std::string>& details, bool indented) {
  bool colour = wants_colour(2);
  std::string text = paint("stackctl:", Tone::bad, colour) + " ";
  for (const auto& line : lines_of(message)) text += clean(line) + "\n";
  for (const auto& detail : details) {
    if (detail == message) continue;  // the first of a file's mistakes is both
    for (const auto& line : lines_of(detail)) text += (indented ? "  " : "") + clean(line) + "\n";
  }
  write_all(2, text);
}

Context::Context(Globals globals) : globals_(std::move(globals)) {
  terminal_ = ::isatty(1);
  colour_ = wants_colour(1);
  error_colour_ = wants_colour(2);
  if (!globals_.directory.empty()) {
    if (::chdir(globals_.directory.c_str()) < 0)
      throw ClientError(proto::k_bad_usage,
                        "cannot go to " + globals_.directory + ": " + std::strerror(errno));
    // As if the caller had gone there: ${PWD} in a stack file means this directory.
    ::setenv("PWD", working_directory().c_str(), 1);
  }
  directory_ = working_directory();
  for (const auto& file : globals_.files) {
    if (file == "-") {
      files_.push_back(file);
      continue;
    }
    std::error_code failed;
    // One that is gone still says which stack is meant: `down` needs no file.
    auto path = std::filesystem::weakly_canonical(file, failed);
    files_.push_back(failed ? file : path.string());
  }
}

const Endpoint& Context::endpoint() {
  if (!endpoint_) {
    Where where = where_is_daemon(globals_.host);
    endpoint_ = where.endpoint;
    named_ = where.named;
  }
  return *endpoint_;
}

Api& Context::api() {
  if (!api_) {
    endpoint();
    api_ = std::make_unique<Api>(*endpoint_, connect_to_daemon({*endpoint_, named_}));
  }
  return *api_;
}

Api* Context::api_if_listening() {
  if (!api_)
    if (auto connection = try_connect(endpoint()))
      api_ = std::make_unique<Api>(*endpoint_, std::move(connection));
  return api_.get();
}

proto::Stack Context::stack() {
  const bool named = !files_.empty() && files_.front() != "-";
  std::string directory = named ? std::filesystem::path(files_.front()).parent_path().string() : directory_;
  if (!globals_.project_directory.empty()) {
    std::error_code failed;
    directory = std::filesystem::weakly_canonical(globals_.project_directory, failed).string();
  }
  const auto own_name = [this] {
    try {
      return api().validate(request_of_files()).name;
    } catch (const ApiError&) {
    } catch (const ClientError&) {
    }
    return std::string();  // its file cannot be read: nothing is known of its name
  };
  Wanted wanted{globals_.project, directory, files_, own_name};
  // A file that lies nowhere says by its name alone which stack it is.
  if (wanted.project.empty() && !files_.empty() && !named) wanted.project = own_name();
  const auto stacks = api().stacks();
  if (wanted.project.empty()) follow_compose(stacks, wanted);
  return select_stack(stacks, wanted);
}

void Context::follow_compose(const std::vector<proto::Stack>& stacks, Wanted& wanted) {
  const bool files_said = files_.empty() && compose_says("COMPOSE_FILE", globals_.env_files);
  const bool name_said = compose_says("COMPOSE_PROJECT_NAME", globals_.env_files);
  if (!files_said && !name_said) return;
  const char* given = std::getenv("COMPOSE_PROJECT_NAME");
  if (given && *given) wanted.project = given;
  try {
    const auto here = api().validate(request_of_files());
    if (files_said && globals_.project_directory.empty()) wanted.directory = here.directory;
    if (files_said) wanted.files = here.files;
    const auto has_name = [&](const proto::Stack& stack) { return stack.name == here.name; };
    if (name_said && std::any_of(stacks.begin(), stacks.end(), has_name)) wanted.project = here.name;
  } catch (const ApiError&) {
    // No file there: what the caller and the env files say counts alone.
    if (wanted.project.empty()) wanted.project = project_in_env_files(globals_.env_files);
  } catch (const ClientError&) {
  }
}

proto::UpRequest Context::request_of_buffer() const {
  if (files_.size() != 1 || files_.front() == "-")
    throw ClientError(proto::k_bad_usage, "--stdin needs one -f: the file whose text it is");
  warn_of_bytes();
  proto::UpRequest request = request_here();
  request.buffers.emplace(files_.front(), standard_input());
  return request;
}

proto::UpRequest Context::up_request() const {
  warn_of_bytes();
  return request_of_files();
}

void Context::warn_of_bytes() const {
  if (std::exchange(warned_of_bytes_, true)) return;
  std::vector<std::string> warnings;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text = *entry;
    if (is_utf8(text)) continue;
    warnings.push_back("the variable '" + std::string(text.substr(0, text.find('='))) +
                       "' is not UTF-8: neither the files nor processes and hooks have it");
  }
  warn(warnings);
}

proto::UpRequest Context::request_of_files() const {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (files_[i] == "-") {
      if (!input_) input_ = standard_input();
    } else if (::access(files_[i].c_str(), R_OK) != 0) {
      throw ClientError(proto::k_bad_usage, "cannot read " + globals_.files[i] + ": " + std::strerror(errno));
    }
  }
  return request_here();
}

proto::UpRequest Context::request_here() const {
  proto::UpRequest request{.directory = directory_,
                           .files = files_,
                           .input = input_.value_or(""),
                           .buffers = {},
                           .env_files = globals_.env_files,
                           .project_directory = globals_.project_directory,
                           .project_name = globals_.project,
                           .profile = join(globals_.profiles, ",")};
  request.umask = own_umask();
  for (char** entry = environ; *entry; ++entry) {
    std::string_view text = *entry;
    std::size_t equals = text.find('=');
    // JSON carries UTF-8 only: a value that is not cannot be sent as it is, and a changed one would be worse
    // than none.
    if (equals == std::string_view::npos || equals == 0 || !is_utf8(text)) continue;
    if (text.substr(0, equals) == "STACKD_RUN") continue;  // inside a hook: that run's mark, not the stack's
    request.environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return request;
}

void Context::out(std::string_view text) const {
  write_all(1, text);
}

void Context::err(std::string_view text) const {
  write_all(2, text);
}

void Context::out(const Table& table) const {
  out(table.text(colour_, width()));
}

void Context::document(const std::string& text) const {
  out(!text.empty() && text.back() == '\n' ? text : text + "\n");
}

void Context::warn(const std::vector<std::string>& warnings) const {
  for (const auto& warning : warnings)
    err(paint("warning:", Tone::warn, error_colour_) + " " + clean(warning) + "\n");
}

int Context::width() const {
  return terminal_ ? terminal_size().columns : 0;
}

std::unique_ptr<Progress> Context::progress() const {
  Write out = [this](std::string_view text) { this->out(text); };
  if (json()) return make_json_progress(out, [this](std::string_view text) { err(text); });
  if (!terminal_ || !can_be_redrawn()) return make_plain_progress(out, colour_);
  give_cursor_back_at_death();
  auto keys = std::make_shared<Keys>();
  return make_tty_progress(out, colour_, terminal_size, now_ms, [keys] { return keys->take(); });
}

std::unique_ptr<Progress> Context::progress_beside(bool quiet) const {
  Write err = [this, quiet](std::string_view text) {
    if (!quiet) this->err(text);
  };
  if (quiet || !::isatty(2) || !can_be_redrawn()) return make_plain_progress(err, error_colour_);
  give_cursor_back_at_death();
  auto keys = std::make_shared<Keys>();
  return make_tty_progress(err, error_colour_, terminal_size, now_ms, [keys] { return keys->take(); });
}

Context::End Context::follow_to_end(const proto::Operation& operation, bool interrupt_cancels) {
  // One that is over at once (nothing was to be done) has nothing to show but, with --json, its events.
  if (operation.state != "running" && !json()) return {operation, exit_code_of(operation), false};
  auto shown = progress();
  Followed followed = follow(api(), operation.id, *shown, {.interrupt_cancels = interrupt_cancels});
  if (json()) {
    auto last = nlohmann::json::parse(followed.document);
    last["joined"] = operation.joined;  // which only the answer to the request knows
    document(last.dump());
  }
  followed.operation.unchanged = followed.operation.unchanged || operation.unchanged;
  int code = followed.left || (followed.cancelled && followed.operation.state != "succeeded")
                 ? static_cast<int>(proto::k_cancelled)
                 : exit_code_of(followed.operation);
  return {followed.operation, code, followed.left};
}

}  // namespace stackd::client
