// Lines of one place: a container that is there, one that is gone, a process's file, the marks. Inside of
// logs; service_logs.cpp puts them together. Control thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/logs/lines.hpp"
#include "daemon/logs/saved_log.hpp"
#include "daemon/logs/service_logs.hpp"
#include "daemon/process/log_files.hpp"

namespace stackd::logs {

// What a caller who has lost us knows already of a service's lines: the cursor of the last one.
std::string cursor_of(const proto::LogsRequest& request, const std::string& service, int number);
proto::LogLine mark_line(const std::string& service, int number, std::string text);

// What it wrote after `seen` (a time; "" is all that the request asks for). Notes the last time in it.
awaitable<void> container_lines(docker::Engine& engine, std::shared_ptr<Lines> lines, ContainerSource source,
                                proto::LogsRequest request, bool follow, std::shared_ptr<std::string> seen);
// How many lines that would be.
awaitable<std::uint64_t> count_container_lines(docker::Engine& engine, ContainerSource source,
                                               proto::LogsRequest request);

// The lines behind the first `skip`.
struct SavedSource {
  SavedLog log;
  std::uint64_t skip = 0;
};
awaitable<void> saved_lines(async::FileThread& files, std::shared_ptr<Lines> lines, SavedSource source,
                            proto::LogsRequest request);

// Of a process's file; notes where it came to.
awaitable<void> process_lines(async::FileThread& files, std::shared_ptr<Lines> lines, ProcessSource source,
                              proto::LogsRequest request, std::shared_ptr<std::uint64_t> place);
// From there on as it grows; until it is cancelled.
awaitable<void> follow_process(asio::any_io_executor executor, async::FileThread& files,
                               std::shared_ptr<Lines> lines, ProcessSource source, proto::LogsRequest request,
                               std::shared_ptr<std::uint64_t> place);
// What is left there now.
awaitable<void> rest_of_process(async::FileThread& files, std::shared_ptr<Lines> lines, ProcessSource source,
                                proto::LogsRequest request, std::shared_ptr<std::uint64_t> place);

// Of these services.
awaitable<void> marks(async::FileThread& files, std::shared_ptr<Lines> lines, Sources sources,
                      proto::LogsRequest request, std::shared_ptr<std::uint64_t> place);
awaitable<void> follow_marks(asio::any_io_executor executor, async::FileThread& files,
                             std::shared_ptr<Lines> lines, std::filesystem::path stack,
                             std::vector<std::string> services, std::shared_ptr<std::uint64_t> place);

}  // namespace stackd::logs
