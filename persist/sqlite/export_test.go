package sqlite

import "github.com/roomring/roomring/persist/internal/ledger"

// RowsNamingSQL is exported for the test of its plan.
const RowsNamingSQL = ledger.SelectRow + ` WHERE room IN (` + selectNaming + `) ORDER BY room LIMIT ?3`
