// The thread that reads and writes files, so that no other one waits for a disk.
#pragma once

#include "daemon/async/serial.hpp"

namespace stackd::async {

struct FileWorker {};
using FileThread = Serial<FileWorker>;

}  // namespace stackd::async
