// The user manager's units of systemd/, compiled in for `stackctl daemon install`.
#pragma once

#include <string_view>

namespace stackd::client {

std::string_view service_unit();
std::string_view socket_unit();

}  // namespace stackd::client
