// Preloaded into a stackd by STACKD_E2E_GUARD (tests/e2e/harness.py): from its first client on, each file
// that the control thread touches is written to its stderr, and the scenario fails. The rule:
// docs/architecture.md, "Threads".
#include <dirent.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

namespace {

bool g_serves = false;

template <class F>
F next(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

// Before anything else happens: what is called must still work in whatever state the caller is.
void look(const char* what, const char* path) {
  if (!g_serves || ::gettid() != ::getpid() || !path) return;
  // What is no disk's: the kernel's own tables.
  for (const char* kernels : {"/proc/", "/sys/", "/dev/null", "/dev/urandom"})
    if (::strncmp(path, kernels, ::strlen(kernels)) == 0) return;
  // What a daemon does on its way out: the store is closed, its socket taken away.
  const auto length = ::strlen(path);
  if (::strstr(path, "/state.db") || (length > 2 && ::strcmp(path + length - 2, "/s") == 0)) return;
  const int error = errno;
  ::dprintf(2, "FILE ON THE CONTROL THREAD: %s %s\n", what, path);
  void* frames[24];
  ::backtrace_symbols_fd(frames, ::backtrace(frames, 24), 2);
  errno = error;
}

int mode_of(int flags, va_list rest) {
  return (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, int) : 0;
}

}  // namespace

extern "C" {

int accept(int fd, struct sockaddr* address, socklen_t* length) {
  static auto real = next<int (*)(int, struct sockaddr*, socklen_t*)>("accept");
  const int accepted = real(fd, address, length);
  if (accepted >= 0) g_serves = true;
  return accepted;
}
int accept4(int fd, struct sockaddr* address, socklen_t* length, int flags) {
  static auto real = next<int (*)(int, struct sockaddr*, socklen_t*, int)>("accept4");
  const int accepted = real(fd, address, length, flags);
  if (accepted >= 0) g_serves = true;
  return accepted;
}

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const int mode = mode_of(flags, rest);
  va_end(rest);
  look("open", path);
  static auto real = next<int (*)(const char*, int, ...)>("open");
  return real(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const int mode = mode_of(flags, rest);
  va_end(rest);
  look("open", path);
  static auto real = next<int (*)(const char*, int, ...)>("open64");
  return real(path, flags, mode);
}
FILE* fopen(const char* path, const char* how) {
  look("fopen", path);
  static auto real = next<FILE* (*)(const char*, const char*)>("fopen");
  return real(path, how);
}
FILE* fopen64(const char* path, const char* how) {
  look("fopen", path);
  static auto real = next<FILE* (*)(const char*, const char*)>("fopen64");
  return real(path, how);
}
DIR* opendir(const char* path) {
  look("opendir", path);
  static auto real = next<DIR* (*)(const char*)>("opendir");
  return real(path);
}
int stat(const char* path, struct stat* about) {
  look("stat", path);
  static auto real = next<int (*)(const char*, struct stat*)>("stat");
  return real(path, about);
}
int lstat(const char* path, struct stat* about) {
  look("lstat", path);
  static auto real = next<int (*)(const char*, struct stat*)>("lstat");
  return real(path, about);
}
int unlink(const char* path) {
  look("unlink", path);
  static auto real = next<int (*)(const char*)>("unlink");
  return real(path);
}
int remove(const char* path) {
  look("remove", path);
  static auto real = next<int (*)(const char*)>("remove");
  return real(path);
}
int rename(const char* from, const char* to) {
  look("rename", from);
  static auto real = next<int (*)(const char*, const char*)>("rename");
  return real(from, to);
}
int mkdir(const char* path, mode_t mode) {
  look("mkdir", path);
  static auto real = next<int (*)(const char*, mode_t)>("mkdir");
  return real(path, mode);
}
int symlink(const char* to, const char* path) {
  look("symlink", path);
  static auto real = next<int (*)(const char*, const char*)>("symlink");
  return real(to, path);
}
int link(const char* from, const char* path) {
  look("link", path);
  static auto real = next<int (*)(const char*, const char*)>("link");
  return real(from, path);
}
char* realpath(const char* path, char* into) {
  look("realpath", path);
  static auto real = next<char* (*)(const char*, char*)>("realpath");
  return real(path, into);
}
}  // extern "C"
