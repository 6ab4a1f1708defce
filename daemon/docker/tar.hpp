// TarWriter: a tar stream, handed over in blocks. Any one thread. Throws Error(io).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace stackd::docker {

class TarWriter {
public:
  // Takes a block; false when nobody wants the tar any more, which ends the writing with an Error.
  using Output = std::function<bool(std::string_view)>;
  TarWriter(Output output, std::size_t block_size);
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
  void end_entry();
  void long_name(char type, std::string_view name);
  void write(std::string_view bytes);
  void zeros(std::int64_t count);
  void hand_over(std::string_view block);

  Output output_;
  std::size_t block_size_;
  std::string block_;           // what is not handed over yet
  std::string path_ = "begin";  // of the entry that is written, for the message
  std::int64_t missing_ = 0,
               padding_ = 0;  // of that entry: bytes to come, and up to the next record after them
};

}  // namespace stackd::docker
