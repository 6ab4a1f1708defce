#include "daemon/process/log_tail.hpp"

#include <optional>

#include "daemon/process/file_watch.hpp"

namespace stackd::process {
namespace {

constexpr std::size_t k_piece = 64 * 1024;

}  // namespace

struct LogTail::Impl {
  Impl(const asio::any_io_executor& e, async::FileThread& f, std::filesystem::path path, std::uint64_t from)
      : executor(e), files(f), log(std::make_shared<LogFiles>(std::move(path))), place(from) {}

  asio::any_io_executor executor;
  async::FileThread& files;
  std::shared_ptr<LogFiles> log;  // a job's, while it runs
  std::uint64_t place;
  std::optional<FileWatch> watch;

  FileWatch& watched() {
    if (watch) return *watch;
    watch.emplace(executor, log->path().parent_path(), log->path().filename().string());
    watch->follow(log->path());
    return *watch;
  }
};

LogTail::LogTail(const asio::any_io_executor& executor, async::FileThread& files, std::filesystem::path log,
                 std::uint64_t place)
    : impl_(std::make_unique<Impl>(executor, files, std::move(log), place)) {}

LogTail::~LogTail() = default;

awaitable<LogPiece> LogTail::now() {
  impl_->watched();  // before the look, so that nothing is missed that comes after it
  auto work = [log = impl_->log, place = impl_->place](async::FileWorker&) {
    return log->read(place, k_piece);
  };
  auto piece = co_await impl_->files.run(work);
  impl_->place = piece.end();
  if (piece.moved) impl_->watched().follow(impl_->log->path());
  co_return piece;
}

awaitable<LogPiece> LogTail::next() {
  for (;;) {
    auto piece = co_await now();
    if (!piece.text.empty()) co_return piece;
    if (!piece.moved) co_await changed();
  }
}

awaitable<void> LogTail::changed() {
  return impl_->watched().changed();
}

awaitable<bool> LogTail::changed_within(std::chrono::milliseconds limit) {
  return impl_->watched().changed_within(limit);
}

std::uint64_t LogTail::place() const {
  return impl_->place;
}

}  // namespace stackd::process
