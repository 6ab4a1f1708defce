#include "daemon/process/directory_watch.hpp"

#include <sys/inotify.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>

#include "daemon/async/deadline.hpp"
#include "daemon/async/signal.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/fd.hpp"

namespace stackd::process {

struct DirectoryWatch::Impl {
  explicit Impl(const asio::any_io_executor& executor) : inotify(executor) {}
  asio::posix::stream_descriptor inotify;
  std::array<char, 4096> events{};
};

DirectoryWatch::DirectoryWatch(asio::any_io_executor executor, const std::filesystem::path& directory)
    : impl_(std::make_unique<Impl>(std::move(executor))) {
  util::Fd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd) return;
  const auto events = IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR;
  if (::inotify_add_watch(fd.get(), directory.c_str(), events) < 0)
    throw util::system_error("cannot watch directory '" + directory.string() + "'", errno);
  impl_->inotify.assign(fd.release());
}

DirectoryWatch::~DirectoryWatch() = default;

awaitable<void> DirectoryWatch::changed() {
  if (!impl_->inotify.is_open()) {
    co_await async::sleep_for(k_without_inotify);
    co_return;
  }
  const auto buffer = asio::buffer(impl_->events);
  co_await impl_->inotify.async_read_some(buffer, use_awaitable);
}

awaitable<bool> DirectoryWatch::changed_within(std::chrono::milliseconds limit) {
  auto waiting = changed();
  try {
    co_await async::within(limit, "directory", std::move(waiting));
  } catch (const util::Error& e) {
    if (e.kind() != util::ErrorKind::timed_out) throw;
    co_return false;
  }
  co_return true;
}

}  // namespace stackd::process
