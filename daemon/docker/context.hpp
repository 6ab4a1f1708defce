// A build context as a tar stream: libarchive packs a directory on a worker thread, .dockerignore honoured,
// an inline or outside Dockerfile added. Ownership is root's and times are kept, as Docker's own client does.
#pragma once

#include <map>
#include <string>

#include "daemon/docker/engine.hpp"

namespace stackd::docker {

struct ContextOptions {
  std::string directory;  // absolute; empty for a context of `extra_files` only
  std::string
      dockerfile;  // relative to the directory or absolute; outside of it, it is added under another name
  std::string dockerfile_inline;
  std::map<std::string, std::string> extra_files;  // name -> text
};

struct Context {
  BodySource source;
  std::string dockerfile;  // its name inside the tar
};

// Blocks: for a thread of UserFiles; what it gives is the executor's. Throws Error(not_found) when the
// directory or its Dockerfile is not there.
Context open_context(asio::any_io_executor executor, ContextOptions options);

// A tar of a few small files in memory, for put_archive: path -> {text, mode, uid, gid}.
struct TarFile {
  std::string text;
  unsigned mode = 0644;
  int uid = 0, gid = 0;
};
std::string make_tar(const std::map<std::string, TarFile>& files);

}  // namespace stackd::docker
