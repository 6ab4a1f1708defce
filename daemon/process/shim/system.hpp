// Small wrappers of system calls for the shim. Nothing throws; failures are errno or false, said by whoever
// calls.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stackd::shim {

using Millis = std::int64_t;

Millis now();         // monotonic
Millis wall_clock();  // since the epoch

// "<what>: <strerror(error_number)>".
std::string because(std::string_view what, int error_number);

bool write_all(int fd, std::string_view text);
// mkdir -p with mode 0700; false with errno.
bool make_directories(const std::string& path);
// The directory part of a path; "." when there is none.
std::string parent_of(std::string_view path);
// The whole of a small file; empty when it is missing.
std::string read_small_file(int directory, const char* name);
// Through "<name>.new" and a rename, so that a reader sees all of it or nothing. Not synced: it outlives
// every process, but not a power cut.
bool write_file(int directory, const char* name, std::string_view text);
// After it write_file() of as many bytes works once, however full the disk is then. False, with errno, when
// there is no room even now.
bool room_for_file(int directory, const char* name, std::size_t bytes);

}  // namespace stackd::shim
