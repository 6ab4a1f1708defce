// Tar archives as `cp` sends and takes them: the format alone, in pieces of any size. (No library: stackctl
// is linked statically, and that of every archive format brings a dozen others along.) Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace stackd::client {

struct TarEntry {
  enum class Kind { file, hard_link, link, character, block, directory, pipe };
  Kind kind = Kind::file;
  std::string name, link;  // link: of a link its target, of a hard one the name of the other entry
  std::int64_t size = 0;   // of a file
  unsigned mode = 0644, uid = 0, gid = 0;
  unsigned major = 0, minor = 0;               // of a device
  std::int64_t modified = 0, nanoseconds = 0;  // seconds since 1970, and the rest
};

// What stands before an entry's data.
std::string tar_header(const TarEntry& entry);
// Zeros behind so many bytes of data, up to the next block.
std::string tar_padding(std::int64_t size);
// The end of an archive.
std::string tar_end();

// Takes one apart. Throws std::runtime_error for what is none.
class TarReader {
public:
  struct Sink {
    std::function<void(const TarEntry&)> entry;
    std::function<void(std::string_view)> data;  // of the entry before
    std::function<void()> entry_end;
  };
  explicit TarReader(Sink sink) : sink_(std::move(sink)) {}

  void feed(std::string_view bytes);
  // Whether its end has been seen; one that just stops between two entries has ended as well.
  bool ended() const { return ended_ || (block_.empty() && left_ == 0 && !in_entry_ && extra_kind_ == 0); }

private:
  void take_header();
  void take_data(std::string_view bytes);
  void finish_data();
  void take_extra();

  Sink sink_;
  std::string block_;  // of a header that has not come whole
  std::string extra_;  // what is said of the entry to come: its long name, or records of pax
  char extra_kind_ = 0;
  std::map<std::string, std::string> said_;  // by pax's names
  std::int64_t left_ = 0, padding_ = 0;
  bool in_entry_ = false, ended_ = false;
  int zero_blocks_ = 0;
};

}  // namespace stackd::client
