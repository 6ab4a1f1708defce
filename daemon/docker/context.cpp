#include "daemon/docker/context.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <thread>
#include <utility>

#include "daemon/docker/ignore.hpp"
#include "daemon/docker/piece_queue.hpp"
#include "daemon/docker/tar.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/fd.hpp"
#include "daemon/util/ids.hpp"
#include "daemon/util/user_file.hpp"

namespace stackd::docker {
namespace {

namespace fs = std::filesystem;
using util::Error;
using util::ErrorKind;

constexpr std::size_t k_block = 64 * 1024;
constexpr std::size_t k_most_blocks = 4;
constexpr std::string_view k_ignore_name = ".dockerignore";

// What goes into the tar, decided before the first byte.
struct Plan {
  std::string root;  // empty without a directory
  Ignore ignore;
  std::map<std::string, std::string> extra_files;  // in place of what the directory has under the same name
};

bool is_outside(const std::string& relative) {
  return relative.empty() || relative == ".." || relative.starts_with("../");
}

[[noreturn]] void fail_read(const std::string& path, int error_number) {
  throw util::system_error("cannot read " + path + " for the build context", error_number);
}

// Packs the plan; the body of the worker thread.
class Packer {
public:
  Packer(const Plan& plan, TarWriter& tar) : plan_(plan), tar_(tar) {}

  void run() {
    for (const auto& [name, text] : plan_.extra_files)
      tar_.file({name, 0644, 0, static_cast<std::int64_t>(std::time(nullptr)), "", 0, 0}, text);
    if (!plan_.root.empty()) pack_directory("");
    tar_.close();
  }

private:
  std::string absolute(const std::string& relative) const {
    return relative.empty() ? plan_.root : plan_.root + "/" + relative;
  }

  void pack_directory(const std::string& relative) {
    std::error_code error;
    std::vector<std::string> names;
    fs::directory_iterator entries(absolute(relative), error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error))
      names.push_back(entries->path().filename().string());
    if (error) fail_read(absolute(relative), error.value());
    std::sort(names.begin(), names.end());
    for (const auto& name : names) pack(relative.empty() ? name : relative + "/" + name);
  }

  void pack(const std::string& relative) {
    if (plan_.extra_files.contains(relative)) return;
    const bool excluded = plan_.ignore.excluded(relative);
    struct stat status {};
    if (::lstat(absolute(relative).c_str(), &status) != 0) {
      if (errno == ENOENT || excluded) return;  // gone since it was listed
      fail_read(absolute(relative), errno);
    }
    const bool directory = S_ISDIR(status.st_mode);
    if (excluded && !(directory && plan_.ignore.may_except_below(relative))) return;
    TarWriter::Entry entry{relative, status.st_mode, status.st_size, status.st_mtime, "", 0, 0};
    if (directory) {
      waiting_.push_back(std::move(entry));
      if (!excluded) begin_waiting();
      pack_directory(relative);
      // Still there: excluded, and nothing in it was an exception.
      if (!waiting_.empty() && waiting_.back().path == relative) waiting_.pop_back();
    } else if (S_ISREG(status.st_mode)) {
      pack_file(std::move(entry));
    } else if (S_ISLNK(status.st_mode)) {
      entry.link = fs::read_symlink(absolute(relative)).string();
      begin_waiting();
      tar_.begin(entry);
    }
    // Sockets, pipes and devices mean nothing elsewhere.
  }

  void pack_file(TarWriter::Entry entry) {
    const auto path = absolute(entry.path);
    const util::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) fail_read(path, errno);
    begin_waiting();
    tar_.begin(entry);
    for (std::int64_t left = entry.size; left > 0;) {
      const auto count = ::read(file.get(), buffer_.data(), buffer_.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail_read(path, errno);
      if (count == 0) break;  // shorter than it was; the tar is filled up
      const auto wanted = std::min<std::int64_t>(left, count);
      tar_.data({buffer_.data(), static_cast<std::size_t>(wanted)});
      left -= wanted;
    }
  }

  // Directories that lead to what comes now.
  void begin_waiting() {
    for (const auto& entry : waiting_) tar_.begin(entry);
    waiting_.clear();
  }

  const Plan& plan_;
  TarWriter& tar_;
  std::vector<TarWriter::Entry> waiting_;
  std::string buffer_ = std::string(k_block, '\0');
};

// The worker thread's end of the queue, and ours. The thread begins with the first read. Nobody waits for it
// to end: it notices at its next block that this object is gone, and may first have to wait for somebody's
// disk.
class Reader {
public:
  Reader(asio::any_io_executor executor, Plan plan)
      : plan_(std::make_shared<const Plan>(std::move(plan))),
        queue_(std::make_shared<PieceQueue>(executor, k_most_blocks)) {}
  ~Reader() { queue_->close(); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  awaitable<std::string> next() {
    if (!std::exchange(begun_, true)) std::thread(work, plan_, queue_).detach();
    return PieceQueue::pop(queue_);
  }

private:
  static void work(const std::shared_ptr<const Plan>& plan, const std::shared_ptr<PieceQueue>& queue) {
    std::exception_ptr error;
    try {
      TarWriter tar([&queue](std::string_view block) { return queue->push(std::string(block)); }, k_block);
      Packer(*plan, tar).run();
    } catch (...) {
      error = std::current_exception();
    }
    queue->finish(error);
  }

  std::shared_ptr<const Plan> plan_;
  std::shared_ptr<PieceQueue> queue_;
  bool begun_ = false;
};

std::string canonical_root(const std::string& directory) {
  std::error_code error;
  auto root = fs::canonical(directory, error);
  if (error)
    throw Error(ErrorKind::not_found, "cannot read the build context " + directory + ": " + error.message());
  if (!fs::is_directory(root, error))
    throw Error(ErrorKind::not_found, "cannot read the build context " + directory + ": it is no directory");
  return root.string();
}

// A Dockerfile that is not in the directory under its own name: one the builder sees and COPY does not. Named
// after its text, so that the same text finds the same cache.
std::string add_hidden_dockerfile(Plan& plan, std::string text, std::string& ignore_text) {
  constexpr std::size_t k_digits = 12;
  const auto name = ".dockerfile." + util::sha256_hex(text).substr(0, k_digits);
  plan.extra_files[name] = std::move(text);
  ignore_text += "\n" + name + "\n" + std::string(k_ignore_name) + "\n";
  plan.extra_files[std::string(k_ignore_name)] = ignore_text;
  return name;
}

struct Dockerfile {
  std::string path;      // absolute
  std::string relative;  // in the context; empty when it is outside
};

Dockerfile find_dockerfile(const std::string& root, const std::string& name) {
  const auto path = (fs::path(root) / name).lexically_normal();  // an absolute name replaces the root
  std::error_code error;
  const auto real = fs::canonical(path, error);
  if (error || !fs::is_regular_file(real, error))
    throw Error(ErrorKind::not_found, "cannot read the Dockerfile " + path.string() + ": " +
                                          (error ? error.message() : "it is no file"));
  // Both as it is named and as it is: a link to outside would lead nowhere in the tar.
  auto relative = path.lexically_relative(root).string();
  const auto real_relative = real.lexically_relative(root).string();
  if (is_outside(relative)) relative = real_relative;
  if (is_outside(real_relative)) relative.clear();
  return {path.string(), relative};
}

// Always sent, whatever the patterns say: the builder needs them.
void keep_builder_files(Ignore& ignore, const std::string& dockerfile) {
  ignore.add("!" + std::string(k_ignore_name));
  std::string escaped;
  for (const char c : dockerfile) {
    if (std::string_view("*?[]\\").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  ignore.add("!" + escaped);
}

}  // namespace

Context open_context(asio::any_io_executor executor, ContextOptions options) {
  Plan plan;
  plan.extra_files = std::move(options.extra_files);
  auto name = options.dockerfile.empty() ? std::string("Dockerfile") : options.dockerfile;
  if (options.directory.empty()) {
    if (!options.dockerfile_inline.empty()) plan.extra_files[name] = std::move(options.dockerfile_inline);
    if (!plan.extra_files.contains(name))
      throw Error(ErrorKind::not_found, "cannot build without a directory: there is no " + name);
  } else {
    plan.root = canonical_root(options.directory);
    auto ignore_text =
        util::read_user_file_if_there(plan.root + "/" + std::string(k_ignore_name)).value_or("");
    if (!options.dockerfile_inline.empty()) {
      plan.ignore = Ignore(ignore_text);
      name = add_hidden_dockerfile(plan, std::move(options.dockerfile_inline), ignore_text);
    } else if (plan.extra_files.contains(name)) {
      plan.ignore = Ignore(ignore_text);
    } else {
      const auto dockerfile = find_dockerfile(plan.root, name);
      // A file of its own beside a Dockerfile goes before the common one, as in BuildKit.
      const auto own_ignore = util::read_user_file_if_there(dockerfile.path + std::string(k_ignore_name));
      if (own_ignore) ignore_text = *own_ignore;
      plan.ignore = Ignore(ignore_text);
      name = dockerfile.relative.empty()
                 ? add_hidden_dockerfile(plan, util::read_user_file(dockerfile.path), ignore_text)
                 : dockerfile.relative;
    }
    keep_builder_files(plan.ignore, name);
  }
  auto reader = std::make_shared<Reader>(std::move(executor), std::move(plan));
  return {[reader] { return reader->next(); }, name};
}

}  // namespace stackd::docker
