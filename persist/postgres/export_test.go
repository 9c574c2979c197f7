package postgres

// RowsNamingSQL is exported for the test of its plan.
const RowsNamingSQL = selectNaming
