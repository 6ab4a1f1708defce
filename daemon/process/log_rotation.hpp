// Rotation of a service's log: the process itself holds the file open and appends to it, so what is there is
// copied to
// "<log>.1" (the one before becomes "<log>.2", and so on) and the file is cut to nothing. LogTail goes on
// behind the cut by what the copy holds. Synchronous; for a worker thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace stackd::process {

std::filesystem::path rotated(const std::filesystem::path& log, int number);  // "<log>.<number>"

// When the log is larger than `limit`. Keeps `kept` old ones. False when there was nothing to do. What cannot
// be copied (a full disk) stays where it is: throws io.
bool rotate_log(const std::filesystem::path& log, std::uint64_t limit, int kept);

// The last `most` bytes of a log and of its old ones together; `end` is where the log's own part ends (a
// LogTail goes on from there).
std::string read_log_tail(const std::filesystem::path& log, std::size_t most, std::uint64_t& end);

}  // namespace stackd::process
