// Files of this machine into a tar and out of one. Throws ClientError.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "client/fd.hpp"
#include "client/tar.hpp"

namespace stackd::client {

using TarSink = std::function<void(std::string_view)>;
inline constexpr std::size_t k_copy_piece = 64 * 1024;  // what is read at a time

// A file, link or directory with all that is below it, as `name`; with "" what is in the directory alone. The
// archive's end too.
void pack(const std::string& path, const std::string& name, const TarSink& sink);

// Puts an archive's entries below `directory`: its first component becomes `name`, and with "" goes away, so
// that what is below it comes right into the directory. Nothing is written anywhere else, whatever links
// there are in the archive.
class Unpacker {
public:
  Unpacker(const std::string& directory, std::string name, bool owners);
  ~Unpacker();

  void feed(std::string_view bytes);
  // Modes and times of directories, which were open while they were filled.
  void finish();

private:
  void begin(const TarEntry& entry);
  void write(std::string_view bytes);
  void end();
  std::string place_of(const std::string& name) const;  // "" for what has none
  Fd parent_of(const std::string& place, std::string& last) const;
  void make(const TarEntry& entry, int parent, const std::string& last);

  std::string directory_, name_;
  bool owners_;
  Fd base_, file_;
  TarEntry current_;
  std::vector<std::pair<std::string, TarEntry>> directories_;
  TarReader reader_;
};

}  // namespace stackd::client
