#include "daemon/process/file_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/async/signal.hpp"
#include "daemon/util/error.hpp"

namespace stackd::process {
namespace {

namespace fs = std::filesystem;

// Between two looks, where the machine has run out of inotify instances or watches.
constexpr std::chrono::milliseconds k_blind{200};
constexpr std::uint32_t k_of_directory = IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO;
constexpr std::uint32_t k_of_coming = IN_CREATE | IN_MOVED_TO;
constexpr std::uint32_t k_of_file = IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF;

struct Waiter {
  explicit Waiter(const asio::any_io_executor& executor) : signal(executor) {}
  void wake() {
    happened = true;
    signal.notify();
  }
  async::Signal signal;
  bool happened = false;
};

// The instance, and who wants to hear of which of its watch descriptors.
class Inotify : public asio::execution_context::service {
public:
  using key_type = Inotify;
  static inline asio::execution_context::id id;  // NOLINT: what Asio knows a service by

  explicit Inotify(asio::execution_context& context)
      : service(context), stream_(static_cast<asio::io_context&>(context)) {
    if (const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC); fd >= 0) stream_.assign(fd);
  }

  // The watch descriptor; -1, with errno, when there is none to be had. `name` as in FileWatch's `only`.
  int add(Waiter& waiter, const fs::path& path, std::uint32_t events, std::uint32_t flags,
          const std::string& name) {
    if (!stream_.is_open()) {
      errno = EMFILE;
      return -1;
    }
    // One file has one descriptor, whoever asks for it: what others wait for is kept.
    const int watch =
        ::inotify_add_watch(stream_.native_handle(), path.c_str(), events | flags | IN_MASK_ADD);
    if (watch < 0) return -1;
    interests_.emplace(watch, Interest{&waiter, events, name});
    listen();
    return watch;
  }

  void remove(Waiter& waiter, int watch) {
    const auto [begin, end] = interests_.equal_range(watch);
    const auto found =
        std::find_if(begin, end, [&](const auto& entry) { return entry.second.waiter == &waiter; });
    if (found == end) return;  // the file is gone, and its watch with it
    interests_.erase(found);
    if (!stream_.is_open()) return;
    if (!interests_.contains(watch)) ::inotify_rm_watch(stream_.native_handle(), watch);
    if (interests_.empty()) stream_.cancel();  // so that the loop can come to its end
  }

private:
  struct Interest {
    Waiter* waiter;
    std::uint32_t events;
    std::string name;
  };

  void shutdown() noexcept override {
    boost::system::error_code ignored;
    stream_.close(ignored);
  }

  void listen() {
    if (std::exchange(listening_, true)) return;
    stream_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code) {
      listening_ = false;
      if (!stream_.is_open()) return;
      take();
      if (!interests_.empty()) listen();
    });
  }

  void take() {
    char buffer[16384];
    for (;;) {
      const auto size = ::read(stream_.native_handle(), buffer, sizeof buffer);
      if (size <= 0) return;
      for (std::string_view left(buffer, static_cast<std::size_t>(size)); !left.empty();) {
        inotify_event event{};
        std::memcpy(&event, left.data(), sizeof event);
        tell(event, left.substr(sizeof event, event.len));
        left.remove_prefix(sizeof event + event.len);
      }
    }
  }

  void tell(const inotify_event& event, std::string_view padded) {
    if (event.mask & IN_Q_OVERFLOW) {
      for (auto& [watch, interest] : interests_) interest.waiter->wake();
      return;
    }
    const auto name = padded.substr(0, padded.find('\0'));
    const auto [begin, end] = interests_.equal_range(event.wd);
    for (auto i = begin; i != end; ++i) {
      const auto& wanted = i->second;
      if ((event.mask & (wanted.events | IN_IGNORED)) == 0) continue;
      if (wanted.name.empty() || wanted.name == name) wanted.waiter->wake();
    }
    if (event.mask & IN_IGNORED) interests_.erase(begin, end);
  }

  asio::posix::stream_descriptor stream_;
  std::multimap<int, Interest> interests_;  // by watch descriptor
  bool listening_ = false;
};

}  // namespace

struct FileWatch::Impl : Waiter {
  explicit Impl(const asio::any_io_executor& executor)
      : Waiter(executor),
        inotify(asio::use_service<Inotify>(asio::query(executor, asio::execution::context))) {}

  Inotify& inotify;
  int directory = -1, file = -1;
  bool blind = false;
};

FileWatch::FileWatch(const asio::any_io_executor& executor, const fs::path& directory,
                     const std::string& only)
    : impl_(std::make_unique<Impl>(executor)) {
  impl_->directory =
      impl_->inotify.add(*impl_, directory, only.empty() ? k_of_directory : k_of_coming, IN_ONLYDIR, only);
  if (impl_->directory >= 0) return;
  if (errno != EMFILE && errno != ENOSPC)
    throw util::system_error("cannot watch directory '" + directory.string() + "'", errno);
  impl_->blind = true;
}

FileWatch::~FileWatch() {
  impl_->inotify.remove(*impl_, impl_->file);
  impl_->inotify.remove(*impl_, impl_->directory);
}

void FileWatch::follow(const fs::path& file) {
  impl_->inotify.remove(*impl_, std::exchange(impl_->file, -1));
  impl_->file = impl_->inotify.add(*impl_, file, k_of_file, 0, {});
  if (impl_->file < 0 && errno == ENOSPC) impl_->blind = true;
}

awaitable<void> FileWatch::changed() {
  co_await changed_within(std::chrono::hours(24 * 365));
}

awaitable<bool> FileWatch::changed_within(std::chrono::milliseconds limit) {
  if (std::exchange(impl_->happened, false)) co_return true;
  if (impl_->blind) {
    co_await async::sleep_for(std::min(limit, k_blind));
    co_return limit > k_blind;
  }
  const bool woken = co_await impl_->signal.wait_for(limit);
  co_return std::exchange(impl_->happened, false) || woken;
}

}  // namespace stackd::process
