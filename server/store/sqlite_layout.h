// The tables of a store's file, and how a file of an older layout becomes one of today's.
#ifndef CHIMERA_SERVER_STORE_SQLITE_LAYOUT_H_
#define CHIMERA_SERVER_STORE_SQLITE_LAYOUT_H_

#include <sqlite3.h>

namespace chimera::server {

// In a transaction; false: SQLite failed.
bool make_tables(sqlite3* database);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_STORE_SQLITE_LAYOUT_H_
