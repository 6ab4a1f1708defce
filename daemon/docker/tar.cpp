#include "daemon/docker/tar.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <ctime>

#include "daemon/docker/context.hpp"
#include "daemon/util/error.hpp"

namespace stackd::docker {
namespace {

constexpr std::size_t k_memory_block = 10 * 1024;

}  // namespace

TarWriter::TarWriter(Output output, std::size_t block_size)
    : output_(std::move(output)), archive_(archive_write_new(), archive_write_free) {
  // GNU's tar, not pax: it takes names as the bytes they are, whatever the daemon's locale.
  check(archive_write_set_format_gnutar(archive_.get()), "begin");
  check(archive_write_set_bytes_per_block(archive_.get(), static_cast<int>(block_size)), "begin");
  check(archive_write_set_bytes_in_last_block(archive_.get(), 1), "begin");
  check(archive_write_open(archive_.get(), this, nullptr, write_block, nullptr), "begin");
}

TarWriter::~TarWriter() {
  gone_ = true;  // freeing an open archive writes its end
}

// Never fails as libarchive sees it: what has failed it does not close, and so does not free all of.
ssize_t TarWriter::write_block(archive*, void* self, const void* bytes, std::size_t size) {
  auto& tar = *static_cast<TarWriter*>(self);
  if (!tar.gone_) tar.gone_ = !tar.output_({static_cast<const char*>(bytes), size});
  return static_cast<ssize_t>(size);
}

void TarWriter::begin(const Entry& entry) {
  const std::unique_ptr<archive_entry, void (*)(archive_entry*)> header(archive_entry_new(),
                                                                        archive_entry_free);
  archive_entry_set_pathname(header.get(), entry.path.c_str());
  archive_entry_set_mode(header.get(), entry.mode);
  archive_entry_set_size(header.get(), S_ISREG(entry.mode) ? entry.size : 0);
  archive_entry_set_mtime(header.get(), entry.mtime, 0);
  archive_entry_set_uid(header.get(), entry.uid);
  archive_entry_set_gid(header.get(), entry.gid);
  if (S_ISLNK(entry.mode)) archive_entry_set_symlink(header.get(), entry.link.c_str());
  check(archive_write_header(archive_.get(), header.get()), entry.path);
}

void TarWriter::data(std::string_view bytes) {
  check(archive_write_data(archive_.get(), bytes.data(), bytes.size()), "data");
}

void TarWriter::file(Entry entry, std::string_view text) {
  entry.mode = S_IFREG | (entry.mode & 07777);
  entry.size = static_cast<std::int64_t>(text.size());
  begin(entry);
  data(text);
}

void TarWriter::close() {
  check(archive_write_close(archive_.get()), "end");
}

void TarWriter::check(long result, std::string_view what) {
  if (gone_)
    throw util::Error(util::ErrorKind::io,
                      "cannot write the tar (" + std::string(what) + "): nobody reads it");
  if (result >= ARCHIVE_WARN && result != ARCHIVE_RETRY) return;
  const char* why = archive_error_string(archive_.get());
  throw util::Error(util::ErrorKind::io,
                    "cannot write the tar (" + std::string(what) + "): " + (why ? why : "unknown error"));
}

std::string make_tar(const std::map<std::string, TarFile>& files) {
  std::string result;
  TarWriter writer(
      [&result](std::string_view block) {
        result += block;
        return true;
      },
      k_memory_block);
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  for (const auto& [path, file] : files) {
    TarWriter::Entry entry{path, static_cast<mode_t>(file.mode), 0, now, "", file.uid, file.gid};
    // Relative to where the archive is put.
    entry.path.erase(0, entry.path.find_first_not_of('/'));
    writer.file(std::move(entry), file.text);
  }
  writer.close();
  return result;
}

}  // namespace stackd::docker
