// TarWriter: a tar stream by libarchive, handed over in blocks. Any one thread. Throws Error(io).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

struct archive;

namespace stackd::docker {

class TarWriter {
public:
  // Takes a block; false when nobody wants the tar any more, which ends the writing with an Error.
  using Output = std::function<bool(std::string_view)>;
  TarWriter(Output output, std::size_t block_size);
  ~TarWriter();
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  struct Entry {
    std::string path;        // relative, "/" between its parts
    mode_t mode = 0;         // type and permissions, as stat has them: a file, a directory or a symlink
    std::int64_t size = 0;   // of a file
    std::int64_t mtime = 0;  // seconds since the epoch
    std::string link;        // a symlink's target
    int uid = 0, gid = 0;
  };
  // Begins an entry; a file's data follows. What is missing of the size is filled with zeros, what is too
  // much left out.
  void begin(const Entry& entry);
  void data(std::string_view bytes);
  // A whole file.
  void file(Entry entry, std::string_view text);
  // The end of the tar. Without it the stream is cut short.
  void close();

private:
  static ssize_t write_block(archive*, void* self, const void* bytes, std::size_t size);
  void check(long result, std::string_view what);
  Output output_;
  bool gone_ = false;  // whoever took the blocks
  std::unique_ptr<archive, int (*)(archive*)> archive_;
};

}  // namespace stackd::docker
