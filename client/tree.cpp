#include "client/tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "client/error.hpp"

namespace stackd::client {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw ClientError(proto::k_operation_failed, what + ": " + std::strerror(errno));
}

using Kind = TarEntry::Kind;

Kind kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return Kind::directory;
  if (S_ISLNK(mode)) return Kind::link;
  if (S_ISCHR(mode)) return Kind::character;
  if (S_ISBLK(mode)) return Kind::block;
  return S_ISFIFO(mode) ? Kind::pipe : Kind::file;
}

class Packer {
public:
  explicit Packer(const TarSink& sink) : sink_(sink) {}

  void add(const std::string& path, const std::string& name) {
    struct stat there {};
    if (::lstat(path.c_str(), &there) < 0) fail("cannot read " + path);
    if (S_ISSOCK(there.st_mode)) return;  // nothing that could be copied
    TarEntry entry;
    entry.kind = kind_of(there.st_mode);
    entry.name = entry.kind == Kind::directory ? name + "/" : name;
    entry.mode = there.st_mode & 07777;
    entry.uid = there.st_uid;
    entry.gid = there.st_gid;
    entry.modified = there.st_mtim.tv_sec;
    entry.nanoseconds = there.st_mtim.tv_nsec;
    if (entry.kind == Kind::link) entry.link = target_of(path, there.st_size);
    if (entry.kind == Kind::character || entry.kind == Kind::block) {
      entry.major = major(there.st_rdev);
      entry.minor = minor(there.st_rdev);
    }
    if (entry.kind == Kind::file && there.st_nlink > 1) {
      const auto [known, added] = seen_.try_emplace({there.st_dev, there.st_ino}, name);
      if (!added) {
        entry.kind = Kind::hard_link;
        entry.link = known->second;
      }
    }
    if (entry.kind == Kind::file) entry.size = there.st_size;
    if (!name.empty() && entry.kind != Kind::file) sink_(tar_header(entry));
    if (entry.kind == Kind::file) add_data(path, entry);
    if (entry.kind == Kind::directory) add_children(path, name);
  }

private:
  static std::string target_of(const std::string& path, off_t size) {
    std::string target(static_cast<std::size_t>(size) + 1, '\0');
    const ssize_t got = ::readlink(path.c_str(), target.data(), target.size());
    if (got < 0) fail("cannot read " + path);
    target.resize(static_cast<std::size_t>(got));
    return target;
  }

  // As long as it was when its header was written: what is missing meanwhile is zeros, what came is left out.
  void add_data(const std::string& path, const TarEntry& entry) {
    Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) fail("cannot read " + path);
    sink_(tar_header(entry));
    std::string piece(k_copy_piece, '\0');
    std::int64_t left = entry.size;
    while (left > 0) {
      const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(left, k_copy_piece));
      const ssize_t got = ::read(file.get(), piece.data(), wanted);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail("cannot read " + path);
      if (got == 0) std::fill(piece.begin(), piece.end(), '\0');
      const auto size = got == 0 ? wanted : static_cast<std::size_t>(got);
      sink_(std::string_view(piece).substr(0, size));
      left -= static_cast<std::int64_t>(size);
    }
    sink_(tar_padding(entry.size));
  }

  void add_children(const std::string& path, const std::string& name) {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
    if (!directory) fail("cannot read " + path);
    std::vector<std::string> children;
    while (const dirent* child = ::readdir(directory.get()))
      if (std::strcmp(child->d_name, ".") != 0 && std::strcmp(child->d_name, "..") != 0)
        children.emplace_back(child->d_name);
    std::sort(children.begin(), children.end());
    for (const auto& child : children)
      add(path + (path.ends_with("/") ? "" : "/") + child, name.empty() ? child : name + "/" + child);
  }

  const TarSink& sink_;
  std::map<std::pair<dev_t, ino_t>, std::string> seen_;  // files that have several names
};

}  // namespace

void pack(const std::string& path, const std::string& name, const TarSink& sink) {
  Packer(sink).add(path, name);
  sink(tar_end());
}

Unpacker::Unpacker(const std::string& directory, std::string name, bool owners)
    : directory_(directory),
      name_(std::move(name)),
      owners_(owners),
      base_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
      reader_({[this](const TarEntry& entry) { begin(entry); },
               [this](std::string_view data) { write(data); }, [this] { end(); }}) {
  if (!base_) fail("cannot write to " + directory);
}

Unpacker::~Unpacker() = default;

void Unpacker::feed(std::string_view bytes) {
  try {
    reader_.feed(bytes);
  } catch (const std::runtime_error& error) {
    if (dynamic_cast<const ClientError*>(&error)) throw;
    throw ClientError(proto::k_operation_failed, error.what());
  }
}

std::string Unpacker::place_of(const std::string& name) const {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start < name.size();) {
    const auto end = std::min(name.find('/', start), name.size());
    const auto part = name.substr(start, end - start);
    if (part == "..")
      throw ClientError(proto::k_operation_failed, "the archive has a path that leads out of it: " + name);
    if (!part.empty() && part != ".") parts.push_back(part);
    start = end + 1;
  }
  // Of a root directory the first component is ".", or nothing.
  const bool of_root = name.starts_with("./") || name.starts_with("/");
  std::string place = name_;
  for (std::size_t i = of_root ? 0 : 1; i < parts.size(); ++i) place += (place.empty() ? "" : "/") + parts[i];
  return place;
}

// The directory that an entry stands in, through no link.
Fd Unpacker::parent_of(const std::string& place, std::string& last) const {
  Fd parent(::openat(base_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::size_t start = 0;
  for (std::size_t slash; (slash = place.find('/', start)) != std::string::npos; start = slash + 1) {
    const auto part = place.substr(start, slash - start);
    Fd next(::openat(parent.get(), part.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!next) fail("cannot write to " + directory_ + "/" + place.substr(0, slash));
    parent = std::move(next);
  }
  last = place.substr(start);
  return parent;
}

void Unpacker::begin(const TarEntry& entry) {
  current_ = entry;
  const auto place = place_of(entry.name);
  if (place.empty()) return;
  std::string last;
  const Fd parent = parent_of(place, last);
  struct stat there {};
  const bool exists = ::fstatat(parent.get(), last.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0;
  const bool is_directory = exists && S_ISDIR(there.st_mode);
  if (exists && is_directory != (entry.kind == Kind::directory)) {
    errno = is_directory ? EISDIR : ENOTDIR;
    fail("cannot overwrite " + directory_ + "/" + place);
  }
  if (exists && !is_directory && ::unlinkat(parent.get(), last.c_str(), 0) < 0)
    fail("cannot overwrite " + directory_ + "/" + place);
  if (!is_directory) make(entry, parent.get(), last);
  if (entry.kind == Kind::directory) directories_.emplace_back(place, entry);
}

void Unpacker::make(const TarEntry& entry, int parent, const std::string& last) {
  const char* name = last.c_str();
  int made = 0;
  switch (entry.kind) {
    case Kind::file:
      file_ = Fd(::openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
      made = file_ ? 0 : -1;
      break;
    case Kind::directory:
      made = ::mkdirat(parent, name, 0700);
      break;
    case Kind::link:
      made = ::symlinkat(entry.link.c_str(), parent, name);
      break;
    case Kind::hard_link: {
      std::string other;
      const Fd there = parent_of(place_of(entry.link), other);
      made = ::linkat(there.get(), other.c_str(), parent, name, 0);
      break;
    }
    case Kind::pipe:
      made = ::mkfifoat(parent, name, entry.mode);
      break;
    case Kind::character:
    case Kind::block:
      made = ::mknodat(parent, name, entry.mode | (entry.kind == Kind::block ? S_IFBLK : S_IFCHR),
                       makedev(entry.major, entry.minor));
      break;
  }
  if (made < 0) fail("cannot make " + directory_ + "/" + place_of(entry.name));
  if (owners_ && entry.kind != Kind::hard_link)
    if (::fchownat(parent, name, entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) < 0)
      fail("cannot give " + directory_ + "/" + place_of(entry.name) + " its owner");
}

void Unpacker::write(std::string_view bytes) {
  while (file_ && !bytes.empty()) {
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) fail("cannot write " + directory_ + "/" + place_of(current_.name));
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Unpacker::end() {
  if (!file_) return;
  const timespec times[2] = {{0, UTIME_NOW}, {current_.modified, 0}};
  if (::fchmod(file_.get(), current_.mode) < 0 || ::futimens(file_.get(), times) < 0)
    fail("cannot write " + directory_ + "/" + place_of(current_.name));
  file_ = Fd();
}

void Unpacker::finish() {
  if (!reader_.ended())
    throw ClientError(proto::k_operation_failed, "the archive from the container is cut short");
  for (auto entry = directories_.rbegin(); entry != directories_.rend(); ++entry) {
    std::string last;
    const Fd parent = parent_of(entry->first, last);
    const Fd directory(::openat(parent.get(), last.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!directory) continue;
    const timespec times[2] = {{0, UTIME_NOW}, {entry->second.modified, 0}};
    ::futimens(directory.get(), times);
    ::fchmod(directory.get(), entry->second.mode);
  }
}

}  // namespace stackd::client
