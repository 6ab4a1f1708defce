#include "daemon/process/shim/request.hpp"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "daemon/process/shim/protocol.hpp"

namespace stackd::shim {

bool Request::read(int fd) {
  struct stat about {};
  if (::fstat(fd, &about) != 0 || about.st_size <= 0) return false;
  size_ = static_cast<std::size_t>(about.st_size);
  void* mapping = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  if (mapping == MAP_FAILED) return false;
  mapping_ = static_cast<char*>(mapping);
  if (mapping_[size_ - 1] != '\0') return false;
  for (char* at = mapping_; at < mapping_ + size_; at += ::strlen(at) + 1) take_field(at);
  argv.push_back(nullptr);
  env.push_back(nullptr);
  return !directory.empty() && (is_exec() || argv.size() > 1);
}

void Request::take_field(char* text) {
  char* equals = ::strchr(text, '=');
  if (!equals) return;
  const std::string_view name(text, static_cast<std::size_t>(equals - text));
  char* value = equals + 1;
  const auto is_set = [&] { return *value == '1'; };
  if (name == field::k_directory) directory = value;
  if (name == field::k_readable) readable = value;
  if (name == field::k_log) log = value;
  if (name == field::k_header) header = value;
  if (name == field::k_limit) limit = ::strtoull(value, nullptr, 10);
  if (name == field::k_out) out = value;
  if (name == field::k_umask) umask = static_cast<int>(::strtoul(value, nullptr, 10));
  if (name == field::k_out_limit) out_limit = ::strtoull(value, nullptr, 10);
  if (name == field::k_kept) kept = ::atoi(value);
  if (name == field::k_append) append = is_set();
  if (name == field::k_leave) leave = is_set();
  if (name == field::k_truncate) truncate = is_set();
  if (name == field::k_timeout) timeout = ::strtoll(value, nullptr, 10);
  if (name == field::k_grace) grace = ::strtoll(value, nullptr, 10);
  if (name == field::k_cwd) cwd = value;
  if (name == field::k_arg) argv.push_back(value);
  if (name == field::k_env) env.push_back(value);
  if (name == field::k_engine) engines.emplace_back(value);
  if (name == field::k_api) api = value;
  if (name == field::k_container) container = value;
  if (name == field::k_exec_body) exec_body = value;
  if (name == field::k_secret) secrets.emplace_back(value);
  if (name == field::k_tty) tty = is_set();
  if (name == field::k_tag) tag = value;
}

void Request::forget_large_parts() {
  readable = header = exec_body = {};
  argv = {};
  env = {};
  if (mapping_) ::munmap(mapping_, size_);
  mapping_ = nullptr;
}

}  // namespace stackd::shim
