#include "daemon/logs/marks.hpp"

#include <cstdlib>

#include "daemon/process/shim/log_file.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"
#include "daemon/util/text.hpp"
#include "daemon/util/time.hpp"

namespace stackd::logs {
namespace {

constexpr std::size_t k_limit = 256 << 10;  // some thousand marks

void append(const std::filesystem::path& stack, const std::string& line) {
  shim::CappedLog log;
  util::make_directories(stack);
  if (!log.open(marks_path(stack).string(), false, k_limit)) return;
  log.write(line);
  log.finish();
}

}  // namespace

std::filesystem::path marks_path(const std::filesystem::path& stack) {
  return stack / "marks.log";
}

std::optional<Mark> parse_mark(std::string_view line) {
  const auto fields = util::split(line, '\t');
  if (fields.size() != 4) return std::nullopt;
  return Mark{fields[0], fields[1], fields[3], std::atoi(fields[2].c_str())};
}

std::string mark_text(const std::string& service, int number, const std::string& what) {
  return "— " + service + (number > 1 ? "-" + std::to_string(number) : "") + " " + what + " —";
}

awaitable<void> write_mark(async::FileThread& files, std::filesystem::path stack, std::string service,
                           int number, std::string what) {
  const auto line = util::format_time(util::now_ms()) + "\t" + service + "\t" + std::to_string(number) +
                    "\t" + mark_text(service, number, what) + "\n";
  auto work = [stack, line](async::FileWorker&) { append(stack, line); };
  try {
    co_await files.run(work);
  } catch (const util::Error& e) {
    if (e.kind() == util::ErrorKind::cancelled) throw;
  }
}

}  // namespace stackd::logs
