#include "daemon/images/builder/file_sync.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <deque>

#include <wire.pb.h>
#include "daemon/images/builder/context_walk.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/ids.hpp"

namespace stackd::builder {
namespace {

constexpr std::size_t k_piece = 32 * 1024;

// The bits by which the builder, a program in Go, knows what kind of file it is.
std::uint32_t go_mode(std::uint32_t mode) {
  std::uint32_t bits = mode & 0777U;
  if (S_ISDIR(mode)) bits |= 1U << 31;
  if (S_ISLNK(mode)) bits |= 1U << 27;
  if (mode & S_ISUID) bits |= 1U << 23;
  if (mode & S_ISGID) bits |= 1U << 22;
  if (mode & S_ISVTX) bits |= 1U << 20;
  return bits;
}

// The values of a key of the call's metadata. Newer builders say when they are encoded.
std::vector<std::string> values_of(const Stream& stream, const std::string& key) {
  const bool encoded = !stream.header(key + "-encoded").empty();
  std::vector<std::string> values;
  for (const auto& [name, value] : stream.headers())
    if (name == key) values.push_back(encoded ? percent_decoded(value) : value);
  return values;
}

// Where the bytes of a file come from.
class Source {
public:
  virtual ~Source() = default;
  virtual std::vector<ContextFile> list() = 0;
  virtual void open(const std::string& path) = 0;
  // Empty at the end.
  virtual std::string next() = 0;
};

class Disk : public Source {
public:
  Disk(std::string root, WalkOptions options) : root_(std::move(root)), options_(std::move(options)) {}
  std::vector<ContextFile> list() override { return walk_context(root_, options_); }
  void open(const std::string& path) override {
    path_ = root_ + "/" + path;
    file_.reset(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file_) fail();
  }
  std::string next() override {
    std::string piece(k_piece, '\0');
    for (;;) {
      const auto count = ::read(file_.get(), piece.data(), piece.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail();
      piece.resize(static_cast<std::size_t>(count));
      return piece;
    }
  }

private:
  [[noreturn]] void fail() const {
    throw util::system_error("cannot read " + path_ + " for the build context", errno);
  }
  std::string root_, path_;
  WalkOptions options_;
  util::Fd file_;
};

class Texts : public Source {
public:
  explicit Texts(std::map<std::string, std::string> texts) : texts_(std::move(texts)) {}
  std::vector<ContextFile> list() override {
    std::vector<ContextFile> files;
    for (const auto& [name, text] : texts_)
      files.push_back({name, S_IFREG | 0644, static_cast<std::int64_t>(text.size()), time_of(text), ""});
    return files;
  }
  void open(const std::string& path) override {
    current_ = &texts_.at(path);
    at_ = 0;
  }
  std::string next() override {
    auto piece = current_->substr(at_, k_piece);
    at_ += piece.size();
    return piece;
  }

private:
  // The builder takes a file of the same size and time for the same; so another text has another time.
  static std::int64_t time_of(const std::string& text) {
    constexpr std::size_t k_digits = 15;
    return std::stoll(util::sha256_hex(text).substr(0, k_digits), nullptr, 16);
  }
  std::map<std::string, std::string> texts_;
  const std::string* current_ = nullptr;
  std::size_t at_ = 0;
};

class Sender : public Handler {
public:
  explicit Sender(std::unique_ptr<Source> source) : source_(std::move(source)) {}

  // One step of what is due, whenever all before it has gone out.
  void on_room(Stream& stream) override {
    try {
      step(stream);
    } catch (const util::Error& e) {
      fail(stream, e.what());
    }
  }

  void on_message(Stream& stream, std::string_view message) override {
    wire::Packet packet;
    if (!packet.ParseFromArray(message.data(), static_cast<int>(message.size())))
      return fail(stream, "what the builder sends cannot be read");
    if (packet.type() == wire::Packet::REQUEST) {
      wanted_.push_back(packet.id());
    } else if (packet.type() == wire::Packet::FIN) {
      wire::Packet end;
      end.set_type(wire::Packet::FIN);
      put(stream, end);
      stream.finish();
      return;
    } else if (packet.type() == wire::Packet::ERROR) {
      return fail(stream, packet.data());
    }
    // While something goes out there is no room; many files are asked for at once.
    if (stream.waits()) on_room(stream);
  }

private:
  void step(Stream& stream) {
    if (!listed_) return list(stream);
    if (!open_) {
      if (wanted_.empty()) return;
      source_->open(files_.at(wanted_.front()).path);
      open_ = true;
    }
    wire::Packet piece;
    piece.set_type(wire::Packet::DATA);
    piece.set_id(wanted_.front());
    piece.set_data(source_->next());
    put(stream, piece);
    if (!piece.data().empty()) return;
    open_ = false;
    wanted_.pop_front();
  }

  void list(Stream& stream) {
    files_ = source_->list();
    listed_ = true;
    wire::Packet packet;
    for (const auto& file : files_) {
      auto& stat = *packet.mutable_stat();
      stat.Clear();
      stat.set_path(file.path);
      stat.set_mode(go_mode(file.mode));
      stat.set_size(file.size);
      stat.set_modified(file.modified_ns);
      stat.set_link(file.link);
      put(stream, packet);
    }
    packet.clear_stat();
    put(stream, packet);
  }

  static void put(Stream& stream, const wire::Packet& packet) { stream.send(packet.SerializeAsString()); }
  void fail(Stream& stream, const std::string& why) {
    wanted_.clear();
    open_ = false;
    listed_ = true;
    stream.finish({Code::unknown, why});
  }

  std::unique_ptr<Source> source_;
  std::vector<ContextFile> files_;
  std::deque<std::uint32_t> wanted_;
  bool listed_ = false, open_ = false;
};

}  // namespace

std::unique_ptr<Handler> send_directory(Stream& stream, const std::string& root) {
  WalkOptions options{values_of(stream, "include-patterns"), values_of(stream, "followpaths"),
                      values_of(stream, "exclude-patterns")};
  return std::make_unique<Sender>(std::make_unique<Disk>(root, std::move(options)));
}

std::unique_ptr<Handler> send_texts(std::map<std::string, std::string> texts) {
  return std::make_unique<Sender>(std::make_unique<Texts>(std::move(texts)));
}

}  // namespace stackd::builder
