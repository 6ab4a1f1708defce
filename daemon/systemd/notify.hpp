// What the daemon tells the service manager (sd_notify). Without one (NOTIFY_SOCKET is not set) every call
// does nothing and succeeds; a message that cannot be delivered is not worth failing for, so nothing here
// throws. Any thread; the app calls from the control thread, so that a watchdog beat says that the control
// thread is alive.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace stackd::systemd {

// READY=1: recovery is done and the socket answers. `text` is the first status line ("" none).
void ready(const std::string& text = "");
// STOPPING=1: no more requests are taken.
void stopping();
// One line that `systemctl status` shows.
void status(const std::string& text);

// How long the manager waits for a beat before it ends the daemon; nothing when it does not watch this
// process. Beat at half of it.
std::optional<std::chrono::microseconds> watchdog_interval();
void watchdog();

}  // namespace stackd::systemd
