#include "daemon/hooks/pre_run_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "daemon/util/fd.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/time.hpp"

namespace stackd::hooks {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_most = 1'000'000;

// A plain file from byte `from` on, of that the newest bytes; nothing for anything else, and never a wait.
// `from` becomes its size.
std::optional<std::string> read_on(const fs::path& path, std::size_t& from, std::size_t most = k_most) {
  util::Fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat found {};
  if (!fd || ::fstat(fd.get(), &found) != 0 || !S_ISREG(found.st_mode)) return std::nullopt;
  const auto size = static_cast<std::size_t>(found.st_size);
  std::string text(std::min(size - std::min(size, from), most), '\0');
  const auto got = ::pread(fd.get(), text.data(), text.size(), static_cast<off_t>(size - text.size()));
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  from = size;
  return text;
}

std::optional<std::string> read_result(const fs::path& path, std::size_t most = k_most) {
  std::size_t from = 0;
  return read_on(path, from, most);
}

}  // namespace

PreparedStart prepared_start(const fs::path& directory) {
  constexpr std::string_view k_hook = "hook-";
  PreparedStart found;
  const auto text = util::read_file_if_there(directory / "start").value_or("");
  found.token = text.substr(0, text.find_first_of(" \n"));
  if (found.token.empty()) return found;
  found.starts = count_starts(directory / "run", found.token);
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    const auto name = entry.path().filename().string();
    int index = -1;
    if (!name.starts_with(k_hook)) continue;
    const auto [end, error] = std::from_chars(name.data() + k_hook.size(), name.data() + name.size(), index);
    if (error == std::errc() && end == name.data() + name.size()) found.hooks.insert(index);
  }
  return found;
}

std::string to_milliseconds(const std::string& time) {
  constexpr std::size_t k_length = 23;
  return time.substr(0, k_length);
}

fs::path pid_file(const fs::path& run, const std::string& token, int start) {
  return run / (token + "." + std::to_string(start) + ".pid");
}

std::optional<std::string> pre_run_began(const fs::path& run, const std::string& token, int start) {
  struct stat found {};
  if (::lstat(pid_file(run, token, start).c_str(), &found) != 0) return std::nullopt;
  return to_milliseconds(
      util::format_time(found.st_mtim.tv_sec * 1000LL + found.st_mtim.tv_nsec / 1'000'000));
}

int count_starts(const fs::path& run, const std::string& token) {
  const auto text = read_result(run / (token + ".starts"));
  return text ? static_cast<int>(std::count(text->begin(), text->end(), '\n')) : 0;
}

fs::path inputs_file(const fs::path& directory, const model::Hook& hook) {
  return directory / ("inputs-" + std::to_string(hook.index));
}

std::string pre_run_inputs(const fs::path& directory, const model::Hook& hook) {
  return util::read_file_if_there(inputs_file(directory, hook)).value_or("");
}

std::optional<int> EntryFiles::exit_code() const {
  const auto text = read_result(file(".exit"), 64);
  if (!text || !text->ends_with('\n')) return std::nullopt;
  return std::atoi(text->c_str());
}

std::string EntryFiles::out() const {
  return read_result(file(".out")).value_or("");
}
std::string EntryFiles::err() const {
  return read_result(file(".err")).value_or("");
}
std::string EntryFiles::fresh_out() {
  return read_on(file(".out"), out_seen_).value_or("");
}
std::string EntryFiles::fresh_err() {
  return read_on(file(".err"), err_seen_).value_or("");
}

void EntryFiles::remove() const {
  std::error_code ignored;
  for (const auto* suffix : {".out", ".err", ".exit"}) fs::remove(file(suffix), ignored);
}

}  // namespace stackd::hooks
