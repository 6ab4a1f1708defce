// The schema as a list of numbered steps without holes, and the code that brings a database up to date. A
// migration is never changed once it was released: a mistake in one is mended by the next.
#pragma once

#include <filesystem>
#include <span>

#include "daemon/store/database.hpp"

namespace stackd::store {

struct Migration {
  int number;        // from 1; PRAGMA user_version once it is applied
  const char* name;  // of its file in migrations/
  const char* sql;
};

std::span<const Migration> migrations();

// Applies what is missing in one transaction, so that a failure or a crash leaves the old schema. An existing
// database is copied to "<file>.before-<n>" first, n being the first migration that changes it. Throws
// Error(unsupported) when the database is newer than the list.
void migrate(Database& db, const std::filesystem::path& file, std::span<const Migration> all);

}  // namespace stackd::store
